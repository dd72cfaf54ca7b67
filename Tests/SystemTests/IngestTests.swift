import Compression
import Foundation
import Heating
import MQTT
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    /// `hearth-cloud ingest` beside real brokers, as homes and other ingestors find it.
    @Suite("Ingest: one home among many")
    struct IngestTests {
        /// A broker, one ingestor's surroundings and the processes that were started in them.
        private final class Place {
            let directory: TemporaryDirectory
            let broker: Mosquitto
            let kafka: MockCluster?
            private let environment: [String: String]
            /// A process that nobody holds any more is ended.
            private var ingestors: [ChildProcess] = []

            init(_ engine: CloudRig.Engine = .journal, broker configuration: String = "allow_anonymous true")
                async throws
            {
                directory = try TemporaryDirectory("ingest")
                broker = try await Mosquitto.started(configuration)
                kafka = engine == .kafka ? try MockCluster(brokers: 1) : nil
                for topic in ["raw_sensor_data", "heatpump_state", "raw_sensor_data.dead-letter"] {
                    try kafka?.command("topic \(topic) 4 1")
                }
                environment = [
                    "MQTT_PORT": "\(broker.port)", "EVENT_LOG": engine.rawValue, "KAFKA_HOST": kafka?.bootstrap ?? "",
                    "HTTP_PORT": "0",
                ]
            }

            func ingestor(_ name: String = "a", _ more: [String: String] = [:]) async throws -> ChildProcess {
                let own = ["JOURNAL_PATH": directory.file("\(name).sqlite"), "MQTT_CLIENT_NAME": name]
                let process = try ChildProcess(
                    "hearth-cloud", ["ingest"], environment: environment.merging(own) { $1 }.merging(more) { $1 })
                try await eventually(
                    within: .seconds(20), "ingestor \(name) is connected: \(process.output.suffix(900))"
                ) {
                    process.output.contains("connected to the cloud broker")
                }
                ingestors.append(process)
                return process
            }
        }

        private static func reading(_ number: Int) -> [UInt8] {
            Array(#"{"timestamp": "2026-11-23T10:00:00.\#(100_000 + number)", "value": 20.5}"#.utf8)
        }

        @Test(
            "confirmations wait for a window of twenty: each of two hundred homes gets its own",
            arguments: CloudRig.Engine.allCases)
        func window(_ engine: CloudRig.Engine) async throws {
            let place = try await Place(engine)
            let ingestor = try await place.ingestor()
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            ingestor.send(SIGSTOP)
            for number in 0..<200 {
                homes.publish("home\(number)/r/temperature", Self.reading(number), sequence: 1)
            }
            try await eventually("the broker has them") { homes.answers.count == 200 }
            ingestor.send(SIGCONT)
            try await eventually(within: .seconds(10), "every home has its confirmation") {
                Set(homes.received.map(\.topic)).count == 200
            }
            homes.stop()
        }

        @Test("a graceful end leaves nothing at the broker that waits for the one that is gone")
        func scaledDown() async throws {
            let place = try await Place()
            let ingestors = [
                try await place.ingestor("a"), try await place.ingestor("b"), try await place.ingestor("c"),
            ]
            for name in ["a", "b", "c"] {
                try await eventually("\(name) is in the group") {
                    place.broker.log.contains("hearth-ingest-\(name) 1 $share/hearth-ingest/+/frame")
                }
            }
            for ingestor in ingestors.dropFirst() { #expect(try await ingestor.terminate() == .code(0)) }
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            for number in 1...60 { homes.publish("home1/r/temperature", Self.reading(number), sequence: number) }
            try await eventually(within: .seconds(5), "all are confirmed by the one that is left") {
                homes.confirmed(of: "home1") == SequenceRanges([1...60])
            }
            // The last one goes too: what is published then is nobody's, and the broker says so.
            #expect(try await ingestors[0].terminate() == .code(0))
            homes.publish("home1/r/temperature", Self.reading(61), sequence: 61)
            try await eventually("the broker says that nobody subscribes") {
                homes.answers.last == .noMatchingSubscribers
            }
            homes.stop()
        }

        @Test("who is to stay keeps its place: the broker queues for it until it is back")
        func stays() async throws {
            let place = try await Place()
            let first = try await place.ingestor("a", ["MQTT_ON_STOP": "stay"])
            try await eventually("it is in the group") { place.broker.log.contains("$share/hearth-ingest/+/frame") }
            #expect(try await first.terminate() == .code(0))
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            homes.publish("home1/r/temperature", Self.reading(1), sequence: 1)
            try await eventually("the broker queues it") { homes.answers == [.success] }
            // Another name of the host: the id was kept.
            _ = try await place.ingestor("a", ["MQTT_ON_STOP": "stay", "MQTT_CLIENT_NAME": "renamed"])
            try await eventually("it is confirmed") { homes.confirmed(of: "home1") == SequenceRanges([1...1]) }
            homes.stop()
        }

        @Test("frames that expand without end, junk and made-up names: memory stays, and the other homes are confirmed")
        func hostile() async throws {
            let place = try await Place(
                broker: "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000")
            let ingestor = try await place.ingestor("a", ["JOURNAL_MAX_SIZE": "64"])
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            let evil = try Publisher(port: place.broker.port, listeningTo: "evil/gateway/ack")
            try await eventually("it listens") { evil.isSubscribed }
            let payload = [UInt8](repeating: UInt8(ascii: "{"), count: 1600)
            let bomb = Frame(
                epoch: "e", records: (1...10_000).map { .init(sequence: $0, topic: "r/temperature", payload: payload) }
            ).encode(with: .zlib)
            let junk = [UInt8](repeating: 0, count: 100_000)
            for number in 1...400 {
                evil.publish("evil/frame", bomb)
                evil.publish("evil/room\(number)/temperature", junk, sequence: number)
                for index in 1...9 {
                    homes.publish("good\(index)/r/temperature", Self.reading(number), sequence: number)
                }
                if number % 20 == 0 { try await Task.sleep(for: .milliseconds(20)) }
            }
            try await eventually(within: .seconds(60), "every reading of the nine is confirmed") {
                (1...9).allSatisfy { homes.confirmed(of: "good\($0)") == SequenceRanges([1...400]) }
            }
            #expect(ingestor.isRunning)
            #expect(ingestor.residentBytes < 160 << 20)
            // Its share is a MiB an hour, and of each the first 4 KiB are kept.
            #expect(evil.confirmed(of: "evil").count <= 260, "junk beyond its share is not confirmed")
            homes.stop()
            evil.stop()
        }

        @Test(
            "a dead letter that Kafka refuses, its topic unknown or forbidden, stays with its home and holds up nobody",
            arguments: [3, 29])
        func refusedDeadLetter(_ code: Int) async throws {
            try await staysAtHome(
                ("odd/r/temperature", "junk"), of: "raw_sensor_data.dead-letter", code, "takes no dead letters")
        }

        @Test(
            "heat-pump commands that Kafka refuses, their topic unknown or forbidden, stay with their homes and hold up no reading",
            arguments: [3, 29])
        func refusedCommands(_ code: Int) async throws {
            try await staysAtHome(
                ("odd/r/heatpump", #"{"status": "1"}"#), of: "heatpump_state", code, "takes nothing of a topic")
        }

        /// What the home `odd` sends is for a topic that Kafka refuses with `code`; another home's readings are confirmed.
        private func staysAtHome(
            _ message: (topic: String, payload: String), of topic: String, _ code: Int, _ told: String
        ) async throws {
            let place = try await Place(.kafka)
            try place.kafka?.command("topic-error \(topic) \(code)")
            let ingestor = try await place.ingestor()
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            homes.publish(message.topic, Array(message.payload.utf8), sequence: 1)
            for number in 1...50 { homes.publish("good/r/temperature", Self.reading(number), sequence: number) }
            try await eventually(within: .seconds(30), "the readings are confirmed: \(ingestor.output.suffix(900))") {
                homes.confirmed(of: "good") == SequenceRanges([1...50])
            }
            #expect(homes.confirmed(of: "odd").count == 0)
            #expect(ingestor.output.contains(told))
            homes.stop()
        }

        @Test("a home that knows the old name of the group takes nothing from the others")
        func foreignGroup() async throws {
            let place = try await Place()
            let secret = try place.directory.write("s3cret\n", to: "password")
            _ = try await place.ingestor("a", ["MQTT_USERNAME": "hearth-cloud", "MQTT_PASSWORD_FILE": secret])
            try await eventually("it has its own group") { place.broker.log.contains("$share/hearth-ingest-") }
            let thief = try Publisher(
                port: place.broker.port, listeningTo: "$share/hearth-ingest/+/+/temperature")
            try await eventually("the thief has subscribed") { thief.isSubscribed }
            let homes = try Publisher(port: place.broker.port, listeningTo: "+/gateway/ack")
            try await eventually("the homes listen") { homes.isSubscribed }
            for number in 1...100 { homes.publish("home1/r/temperature", Self.reading(number), sequence: number) }
            try await eventually(within: .seconds(5), "all are confirmed") {
                homes.confirmed(of: "home1") == SequenceRanges([1...100])
            }
            homes.stop()
            thief.stop()
        }
    }
}

/// A client that publishes and listens, for tests that stand in for many homes.
private final class Publisher: Sendable {
    struct State: Sendable {
        var isSubscribed = false
        var answers: [ReasonCode] = []
        var received: [(topic: String, payload: [UInt8])] = []
        var outgoing: [Publication] = []
    }

    private let state = Shared()
    private let connection: Connection

    private final class Shared: Sendable {
        let contents = Mutex(State())
    }

    init(port: Int, listeningTo filter: String) throws {
        var settings = ConnectionSettings(host: "127.0.0.1", port: port, clientID: "publisher-\(UUID())")
        settings.cleanStart = true
        connection = Connection(settings, name: "publisher") { [state] in Handler(state, filter) }
        try connection.start()
    }

    var isSubscribed: Bool { state.contents.withLock { $0.isSubscribed } }
    var answers: [ReasonCode] { state.contents.withLock { $0.answers } }
    var received: [(topic: String, payload: [UInt8])] { state.contents.withLock { $0.received } }

    func confirmed(of home: String) -> SequenceRanges {
        let payloads = received.filter { $0.topic == "\(home)/gateway/ack" }.map(\.payload)
        return SequenceRanges(payloads.flatMap { (try? Acknowledgement(payload: $0))?.ranges ?? [] })
    }

    func publish(_ topic: String, _ payload: [UInt8], sequence: Int? = nil) {
        let properties = sequence.map { [UserProperty("seq", "\($0)"), UserProperty("epoch", "e")] } ?? []
        state.contents.withLock {
            $0.outgoing.append(Publication(topic: topic, payload: payload, qos: 1, userProperties: properties))
        }
        connection.wake()
    }

    func stop() { connection.stop(within: 1_000_000_000) }

    private final class Handler: ConnectionHandler {
        private let state: Shared
        private let filter: String

        init(_ state: Shared, _ filter: String) { (self.state, self.filter) = (state, filter) }

        func connected(_ link: Link, sessionPresent: Bool) { _ = try? link.subscribe([filter]) }

        func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
            state.contents.withLock { $0.isSubscribed = reasons.allSatisfy(\.isSuccess) }
        }

        func received(_ batch: [Message], on link: Link) throws {
            state.contents.withLock { $0.received += batch.map { ($0.topic, $0.payload) } }
        }

        func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
            state.contents.withLock { $0.answers.append(reason) }
            send(link)
        }

        func turn(_ link: Link?, now: Int64) -> Int64? {
            if let link { send(link) }
            return nil
        }

        func disconnected(_ cause: Disconnection, after: Int64) -> Int64 { 100_000_000 }

        private func send(_ link: Link) {
            state.contents.withLock { state in
                var sent = 0
                while sent < state.outgoing.count, (try? link.publish(state.outgoing[sent])) != nil { sent += 1 }
                state.outgoing.removeFirst(sent)
            }
        }
    }
}
