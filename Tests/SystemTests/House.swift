import Foundation
import MQTT
import Synchronization
import TestSupport

/// One `hearthd` with a pump that listens at the home broker and a sensor that says what a test wants.
struct House {
    let rig: Rig
    /// What reaches the pumps.
    let pump: Recorder

    /// Lines of hearthd.toml for a home in which every reading is too cold: a pump is called from the first one on.
    static let alwaysCold = """
        [thermostat]
        on_below = 50.0
        off_above = 51.0
        overheat_above = 55.0
        min_on = "0s"
        min_off = "0s"
        """

    /// - Parameter thermostat: lines of its section, and sections behind it.
    init(_ thermostat: String = "", start: Bool = true) async throws {
        rig = try await Rig(configuration: "[thermostat]\n\(thermostat)")
        pump = try await Recorder(port: rig.home.port, topic: "+/heatpump")
        if start { try await rig.startAndSubscribe() }
    }

    func reading(_ value: Double, at time: Date) -> String {
        let text = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        return #"{"timestamp": "\#(text)", "value": \#(value)}"#
    }

    /// Publishes each line as a message of its own, one right after the other.
    func send(_ lines: String, to room: String = "office") async throws {
        let result = try await ChildProcess.run(
            "/bin/sh",
            ["-c", "printf '%s\\n' \"$LINES\" | /usr/bin/mosquitto_pub -p \(rig.home.port) -q 1 -l -t \"$TOPIC\""],
            environment: ["LINES": lines, "TOPIC": "\(room)/temperature"])
        guard result.exit == .code(0) else { throw Failure("mosquitto_pub: \(result.output)") }
    }

    /// The commands that the room's pump has heard, without the repetitions that are made in case one was missed.
    func heard(in room: String = "office") -> [String] {
        pump.arrivals.filter { $0.topic == "\(room)/heatpump" && $0.properties.contains("reason:") }
            .map { $0.payload.contains("\"1\"") ? "1" : "0" }
            .reduce(into: []) { words, word in if words.last != word { words.append(word) } }
    }

    func hears(_ status: String, in room: String = "office", within limit: Duration = .seconds(10)) async throws {
        try await eventually(within: limit, "the pump of \(room) hears \(status)") { heard(in: room).last == status }
    }

    /// Waits for a finding.
    func finding(_ name: String) async throws -> JSONValue {
        try await value(within: .seconds(60), "the finding \(name)") {
            (try? rig.currentStatus()).flatMap { Self.finding(name, in: $0) }
        }
    }

    static func finding(_ name: String, in status: JSONValue) -> JSONValue? {
        status["alarms"].array?.first { $0["name"].string == name }
    }

    /// Publishes many messages over one connection and waits until the broker has them all.
    func flood(_ count: Int, _ message: @escaping @Sendable (Int) -> (topic: String, payload: String, retain: Bool))
        async throws
    {
        let settings = ConnectionSettings(host: "127.0.0.1", port: rig.home.port, clientID: "flood")
        let counter = Counter()
        let connection = Connection(settings, name: "flood") {
            Flood(
                messages: (0..<count).map(message).map {
                    Publication(topic: $0.topic, payload: Array($0.payload.utf8), qos: 1, retain: $0.retain)
                }, counter: counter)
        }
        try connection.start()
        defer { connection.stop(within: 1_000_000_000) }
        try await eventually(within: .seconds(30), "\(count) messages are at the broker") { counter.value >= count }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func increment() { count.withLock { $0 += 1 } }
    }

    private final class Flood: ConnectionHandler {
        private var messages: [Publication]
        private let counter: Counter

        init(messages: [Publication], counter: Counter) {
            self.messages = messages.reversed()
            self.counter = counter
        }

        func connected(_ link: Link, sessionPresent: Bool) { send(link) }
        func received(_ batch: [Message], on link: Link) throws {}
        func disconnected(_ cause: Disconnection, after: Int64) -> Int64 { 100_000_000 }

        func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
            counter.increment()
            send(link)
        }

        private func send(_ link: Link) {
            while let next = messages.last, (try? link.publish(next)) != nil { messages.removeLast() }
        }
    }
}
