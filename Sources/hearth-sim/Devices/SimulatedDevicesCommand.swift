import ArgumentParser
import MQTT
import Machine
import Synchronization

/// `hearth-sim devices`
struct SimulatedDevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "Simulated Zigbee2MQTT, Tasmota, Shelly Gen2, ESPHome and HeishaMon devices, each with a heat pump.",
        discussion: """
            Each kind plays one room: zigbee2mqtt the office, tasmota the kitchen, shelly the bathroom, esphome the bedroom, \
            heishamon the living-room. 'hearth devices' finds them. Faults are for kinds, separated by commas.
            """)

    @OptionGroup var broker: HomeBrokerOptions

    @Option(help: "Which kinds, separated by commas.")
    var kinds = DeviceKindName.allCases.map(\.rawValue).joined(separator: ",")

    @Option(help: "The same seed makes the same house.")
    var seed: UInt64 = 1

    @Option(help: "Real seconds between two readings.")
    var interval = 5.0

    @Option(help: "Simulated seconds per real second.")
    var speed = 1.0

    @Option(help: "Real seconds until a device says that it has switched.")
    var lag = 0.3

    @Option(help: "Share of such messages that get lost.")
    var lose = 0.0

    @Option(help: "Share of readings that are broken in the way of the kind: null, nan, 85, -128.")
    var broken = 0.0

    @Option(help: "Kinds whose device does not take commands.")
    var deaf = ""

    @Option(help: "Kinds whose device confirms commands while nothing runs.")
    var lie = ""

    @Option(help: "Kinds whose device measures in °F; tasmota can.")
    var fahrenheit = ""

    @Option(help: "Write one line per reading: room, number.")
    var report: String?

    @Flag(help: "Print the rooms once per second.")
    var verbose = false

    func validate() throws {
        try checkPace(interval: interval, speed: speed)
        guard (0...86_400).contains(lag) else { throw ValidationError("--lag must be between 0 and 86400") }
        guard (0...1).contains(lose), (0...1).contains(broken) else {
            throw ValidationError("--lose and --broken must be between 0 and 1")
        }
        for list in [kinds, deaf, lie, fahrenheit] { _ = try Self.kinds(in: list) }
    }

    private static func kinds(in list: String) throws -> [DeviceKindName] {
        try list.split(separator: ",").map { name in
            guard let kind = DeviceKindName(rawValue: String(name)) else {
                let all = DeviceKindName.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no kind '\(name)'; choose from \(all)")
            }
            return kind
        }
    }

    func run() throws {
        let settings = try broker.settings(variables: ["MQTT_HOST", "MQTT_PORT"])
        StopSignal.prepare()
        tell(speed == 1 ? "time runs as on the wall" : "time runs \(oneDecimal(speed)) times as fast as on the wall")
        let file = try report.map { try ReportFile(path: $0) }
        let devices = try Self.kinds(in: kinds).map { kind in
            let snapshot = SharedDeviceSnapshot()
            return (kind, snapshot, try connect(kind, settings, snapshot, file))
        }
        for (_, _, connection) in devices { try connection.start() }
        while !StopSignal.wait(seconds: 1) {
            if verbose { tell(devices.map { line($0.0, $0.1) }.joined(separator: " · ")) }
        }
        for (_, _, connection) in devices { connection.stop(within: 1_000_000_000) }
    }

    private func line(_ kind: DeviceKindName, _ snapshot: SharedDeviceSnapshot) -> String {
        let state = snapshot.value.withLock { $0 }
        guard state.isConnected else { return "\(kind.rawValue): no broker" }
        return "\(kind.room) \(oneDecimal(state.temperature)) °C \(state.isOn ? "heating" : "off")"
    }

    private func connect(
        _ kind: DeviceKindName, _ home: HomeSettings, _ snapshot: SharedDeviceSnapshot, _ report: ReportFile?
    ) throws -> Connection {
        let isDeaf = try Self.kinds(in: deaf).contains(kind)
        let lies = try Self.kinds(in: lie).contains(kind)
        let faults = DeviceRoom.Faults(
            lag: lag, lostStates: lose, isDeaf: isDeaf, lies: lies, brokenReadings: broken)
        let model = kind.model(isFahrenheit: try Self.kinds(in: fahrenheit).contains(kind))
        let room = DeviceRoom(
            model, name: kind.room, faults: faults,
            clock: SensorClock(start: (Clock.wallNanoseconds / 1_000), speed: speed), seed: seed)
        var settings = ConnectionSettings(host: home.host, port: home.port, clientID: clientID(kind.rawValue))
        settings.cleanStart = true
        settings.will = Publication(
            topic: model.will.topic, payload: Array(model.will.payload.utf8), qos: 1, retain: true)
        let (interval, start) = (Int64(interval * 1e9), Clock.bootNanoseconds)
        return Connection(settings, name: kind.rawValue) {
            DeviceSession(kind.room, room, interval: interval, start: start, snapshot: snapshot, report: report)
        }
    }
}
