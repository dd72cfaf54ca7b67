import ArgumentParser
import Glibc
import MQTT
import Machine

extension LoadPlan.Payload: ExpressibleByArgument {}

/// `hearth-sim load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Numbered readings at a given rate, or as fast as the broker takes them.",
        discussion: """
            Without --homes the topics are a home broker's (room1/temperature), with --homes N a cloud broker's \
            (home1/room1/temperature). Exit status 1 if a reading stayed unacknowledged.
            """)

    @Option(help: "The broker.") var host = "127.0.0.1"
    @Option(help: "Its port.") var port = 1883
    @Option(help: "Homes; 0 = topics without a home level.") var homes = 0
    @Option(help: "Rooms per home.") var rooms = 5
    @Option(help: "In front of every topic, for example bench/.") var topicPrefix = ""
    @Option(help: "Connections that share the topics.") var connections = 1
    @Option(help: "Readings per second in all; 0 = as fast as the window permits.") var rate = 0.0
    @Option(help: "Readings in all; 0 = until stopped.") var count = 0
    @Option(help: "Stop after this many seconds; 0 = never.") var duration = 0.0
    @Option(help: "MQTT quality of service, 0 or 1.") var qos: UInt8 = 1
    @Option(help: "Unacknowledged readings per connection.") var window = 1_000
    @Option(help: "numbered: the value carries the number, 20.000000042; sensor: like the real sensor.")
    var payload = LoadPlan.Payload.numbered
    @Option(help: "The first reading's number in each topic.") var first = 0
    @Option(help: "Sensor time between two readings of a topic, microseconds.") var step: Int64 = 1_000
    @Option(help: "Sensor time of reading 0, microseconds since 1970. (default: now)") var start: Int64?
    @Option(help: "Seed of --payload sensor.") var seed: UInt64 = 1
    @Flag(help: "Send again, after a reconnect, what was not acknowledged.") var reliable = false
    @Flag(help: "Print the summary as JSON, and nothing else.") var json = false

    func validate() throws {
        guard qos <= 1 else { throw ValidationError("--qos must be 0 or 1") }
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
        guard (0...1_000_000).contains(homes), (1...10_000).contains(rooms) else {
            throw ValidationError("--homes must be 0 to 1000000, --rooms 1 to 10000")
        }
        guard connections >= 1, connections <= max(1, homes) * rooms else {
            throw ValidationError("--connections must be 1 to the number of topics")
        }
        guard !topicPrefix.contains(where: { "+#\0".contains($0) }) else {
            throw ValidationError("--topic-prefix must not contain + or #")
        }
        guard rate >= 0, count >= 0, duration >= 0, step >= 1, (1...65_535).contains(window) else {
            throw ValidationError(
                "--rate, --count, --duration must not be negative; --step 1 or more; --window 1 to 65535")
        }
        guard LoadPlan.numbers.contains(first), LoadPlan.numbers.contains(first + count / (max(1, homes) * rooms))
        else {
            throw ValidationError("numbers must stay below \(LoadPlan.numbers.upperBound)")
        }
    }

    func run() throws {
        StopSignal.prepare()
        let plan = LoadPlan(
            topics: LoadPlan.topics(prefix: topicPrefix, homes: homes, rooms: rooms), payload: payload, first: first,
            start: start ?? (Clock.wallNanoseconds / 1_000), step: step, seed: seed)
        let tallies = (0..<connections).map { _ in LoadTally() }
        let sessions = zip(plan.split(into: connections), tallies).enumerated().map { position, pair in
            connection(position, plan: pair.0, tally: pair.1, topics: plan.topics.count)
        }
        for session in sessions { try session.start() }
        wait(for: tallies)
        for session in sessions { session.stop(within: 2_000_000_000) }
        try report(tallies)
    }

    private func connection(_ position: Int, plan: LoadPlan, tally: LoadTally, topics: Int) -> Connection {
        let share = LoadShare(position: position, of: connections, topics: topics)
        let settings = LoadSession.Settings(
            qos: qos, window: window, count: count == 0 ? nil : share.readings(of: count), isReliable: reliable)
        let rate = rate * Double(plan.topics.count) / Double(topics)
        var connection = ConnectionSettings(
            host: host, port: port, clientID: clientID("load-\(position)"))
        connection.cleanStart = true
        connection.sendMaximum = UInt16(window)
        return Connection(connection, name: "load\(position)") {
            LoadSession(plan: plan, rate: rate, settings: settings, tally: tally)
        }
    }

    private func wait(for tallies: [LoadTally]) {
        let began = Clock.bootNanoseconds
        var told = began
        while !StopSignal.wait(seconds: 0.01) {
            let now = Clock.bootNanoseconds
            if tallies.allSatisfy(\.isFinished) { return }
            if duration > 0, Double(now - began) / 1e9 >= duration { return }
            if !json, now - told >= 1_000_000_000 {
                told = now
                complain(total(tallies).line)
            }
        }
    }

    private func total(_ tallies: [LoadTally]) -> LoadCounts {
        tallies.reduce(into: LoadCounts()) { $0.add($1.counts) }
    }

    private func report(_ tallies: [LoadTally]) throws {
        let counts = total(tallies)
        var plan = LoadPlan(topics: ["r"], payload: payload, first: first, start: 1, step: step, seed: seed)
        tell(json ? counts.json(qos: qos, payloadBytes: plan.reading(at: 0).payload.count) : counts.line)
        if let failure = tallies.lazy.compactMap(\.failure).first { complain(failure) }
        guard counts.acknowledged == counts.sent, counts.sent >= count else { throw ExitCode.failure }
    }
}
