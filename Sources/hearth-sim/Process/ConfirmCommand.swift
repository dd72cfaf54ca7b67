import ArgumentParser
import Compression
import Glibc
import Heating
import MQTT
import Synchronization

/// `hearth-sim confirm`: an ingestor without an event log, for benchmarks of the gateway alone. It keeps nothing, so
/// never let a real gateway talk to it.
struct ConfirmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Confirms to a home's gateway whatever arrives, and keeps none of it: for benchmarks only.")

    @Option(help: "The cloud broker.") var host = "127.0.0.1"
    @Option(help: "Its port.") var port = 1883
    @Option(help: "The home.") var home: String

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be 1 to 65535") }
        guard HomeID(home) != nil else { throw ValidationError("--home must be one topic level without / + #") }
    }

    func run() throws {
        guard let home = HomeID(home) else { return }
        StopSignal.prepare()
        let tally = ConfirmTally()
        let settings = ConnectionSettings(host: host, port: port, clientID: clientID("confirm"))
        let connection = Connection(settings, name: "confirm") { ConfirmSession(home: home, tally: tally) }
        try connection.start()
        while !StopSignal.wait(seconds: 1) { tell(tally.line) }
        connection.stop(within: 2_000_000_000)
        tell(tally.line)
    }
}

/// Written by the connection's thread, read by the main thread.
final class ConfirmTally: Sendable {
    private let counts = Mutex((records: 0, messages: 0, bytes: 0))

    func add(records: Int, bytes: Int) {
        counts.withLock {
            $0.records += records
            $0.messages += 1
            $0.bytes += bytes
        }
    }

    var line: String { counts.withLock { "\($0.records) records in \($0.messages) messages of \($0.bytes) bytes" } }
}

private final class ConfirmSession: ConnectionHandler {
    private let home: HomeID
    private let tally: ConfirmTally

    init(home: HomeID, tally: ConfirmTally) {
        self.home = home
        self.tally = tally
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        do {
            try link.subscribe(ObservedBroker.cloud(home).filters)
        } catch {
            link.drop("subscribe: \(error)")
        }
    }

    func received(_ batch: [Message], on link: Link) throws {
        var confirmed: [String: SequenceRanges] = [:]
        for message in batch where !message.isRetained {
            if message.topic.hasSuffix("/frame") {
                guard let frame = try? Frame.decode(message.payload, with: .zlib) else { continue }
                for record in frame.records {
                    confirmed[frame.epoch, default: SequenceRanges()].insert(record.sequence...record.sequence)
                }
                tally.add(records: frame.records.count, bytes: message.payload.count)
            } else if let epoch = property("epoch", of: message), let text = property("seq", of: message),
                let sequence = Int64(text)
            {
                confirmed[epoch, default: SequenceRanges()].insert(sequence...sequence)
                tally.add(records: 1, bytes: message.payload.count)
            }
        }
        for (epoch, ranges) in confirmed {
            let payload = Acknowledgement(epoch: epoch, ranges: ranges.ranges).payload
            try link.publish(Publication(topic: CloudTopic.ack(home).string, payload: payload, qos: 1))
        }
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 { 200_000_000 }

    private func property(_ name: String, of message: Message) -> String? {
        message.userProperties.first { $0.name == name }?.value
    }
}
