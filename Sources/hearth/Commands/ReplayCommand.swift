import ArgumentParser
import GatewayClient
import Glibc
import Heating

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Run other settings over the recorded readings: what would have been different.",
        discussion: """
            Takes the readings as they were, and each room's thermostat once with the settings in force and once with \
            those of the file. That a room would have become warmer or cooler by other commands is not simulated. \
            Nothing is switched.
            """)

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp("The configuration to try, a whole hearthd.toml.", valueName: "file"))
    var file: String

    @OptionGroup var history: HistoryOptions

    @OptionGroup var options: GatewayOptions

    func run() throws {
        guard let text = readFile(file) else { throw ValidationError("\(file) cannot be read") }
        let comparison = try options.withGateway { (gateway) throws(VarlinkError) in
            try ReplayComparison(text, sinceSeconds: history.since.components.seconds, gateway)
        }
        if options.json { return try options.write(comparison.json) }
        try Output.standard.write(lines: comparison.lines)
    }
}

/// Both runs of every room.
struct ReplayComparison {
    private struct Room {
        var current: Replay
        var new: Replay
    }

    private var rooms: [ExactString: Room] = [:]
    private let current: ThermostatTable
    private let new: ThermostatTable
    private var last = Instant.zero

    init(_ configuration: String, sinceSeconds: Int64, _ gateway: ControlClient) throws(VarlinkError) {
        guard let current = ThermostatTable(try gateway.thermostats(configuration: nil)),
            let new = ThermostatTable(try gateway.thermostats(configuration: configuration))
        else { throw .malformed("not the thermostats' settings; is hearth as new as hearthd?") }
        self.current = current
        self.new = new
        var after: Int64?
        repeat {
            let part = try gateway.readings(sinceSeconds: sinceSeconds, after: after)
            for reading in part["readings"]?.array ?? [] { take(reading) }
            guard part["more"]?.bool == true, let next = part["scannedThrough"]?.int else { break }
            after = next
        } while true
        for name in rooms.keys {
            rooms[name]?.current.pass(until: last, householdTime)
            rooms[name]?.new.pass(until: last, householdTime)
        }
    }

    private mutating func take(_ reading: JSON) {
        guard let text = reading[0]?.string, let arrived = reading[1]?.int, let value = reading[2]?.double else {
            return
        }
        let name = ExactString(text)
        // A clock that was set back in between must not make time run backwards.
        last = max(last, Instant(nanoseconds: arrived))
        if rooms[name] == nil {
            rooms[name] = Room(
                current: Replay(settings: current.settings(for: name), start: last),
                new: Replay(settings: new.settings(for: name), start: last))
        }
        rooms[name]?.current.take(value, now: last, localTime: householdTime)
        rooms[name]?.new.take(value, now: last, localTime: householdTime)
    }

    var json: JSON {
        func figures(_ figures: Replay.Figures) -> JSON {
            [
                "starts": JSON(figures.starts), "runningSeconds": JSON(figures.running.components.seconds),
                "degreeMinutesBelow": JSON((figures.degreeMinutesBelow * 10).rounded() / 10),
                "withinSeconds": JSON(figures.within.components.seconds),
                "totalSeconds": JSON(figures.total.components.seconds), "readings": JSON(figures.readings),
            ]
        }
        return [
            "rooms": .array(
                rooms.sorted { $0.key < $1.key }.map { name, room in
                    [
                        "room": .string(name.text), "current": figures(room.current.figures),
                        "new": figures(room.new.figures),
                    ]
                })
        ]
    }

    var lines: [String] {
        guard !rooms.isEmpty else { return ["no reading in that time"] }
        return rooms.sorted { $0.key < $1.key }.flatMap { name, room -> [String] in
            let (old, new) = (room.current.figures, room.new.figures)
            func row(_ title: String, _ old: String, _ new: String) -> String { "  \(title): \(old) -> \(new)" }
            return [
                "\(printable(name.text)), \(old.readings) readings in \(old.total.spoken)",
                row("starts", "\(old.starts)", "\(new.starts)"),
                row("running", old.running.spoken, new.running.spoken),
                row("too cold", "\(Int(old.degreeMinutesBelow)) degree minutes", "\(Int(new.degreeMinutesBelow))"),
                row("within the limits", share(old), share(new)),
            ]
        }
    }

    private func share(_ figures: Replay.Figures) -> String {
        figures.total > .zero ? "\(Int((figures.within / figures.total * 100).rounded())) %" : "-"
    }
}

/// Settings of every room, as the daemon read them.
struct ThermostatTable {
    private let base: Thermostat.Settings
    private let rooms: [ExactString: Thermostat.Settings]

    init?(_ json: JSON) {
        guard let base = json["thermostat"].flatMap({ Thermostat.Settings(json: $0) }),
            let members = json["rooms"]?.object?.members
        else { return nil }
        self.base = base
        var rooms: [ExactString: Thermostat.Settings] = [:]
        for (name, value) in members {
            guard let settings = Thermostat.Settings(json: value) else { return nil }
            rooms[ExactString(name)] = settings
        }
        self.rooms = rooms
    }

    func settings(for room: ExactString) -> Thermostat.Settings { rooms[room] ?? base }
}

/// What the clock on the wall of this box showed, in its zone.
private func householdTime(_ instant: Instant) -> LocalTime? {
    var seconds = time_t(instant.nanoseconds / 1_000_000_000)
    var local = tm()
    guard localtime_r(&seconds, &local) != nil else { return nil }
    return LocalTime(
        weekday: Int(local.tm_wday + 6) % 7, hour: Int(local.tm_hour), minute: Int(local.tm_min))
}

private func readFile(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while bytes.count <= 1 << 20 {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return String(validating: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
    return nil
}
