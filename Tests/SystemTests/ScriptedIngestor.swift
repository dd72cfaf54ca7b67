import Compression
import Foundation
import Heating
import MQTT
import Synchronization

/// A peer behind the cloud broker that reads what a gateway sends and acknowledges as a test tells it to: late, twice,
/// out of order, for another epoch, beyond what was sent, or never.
final class ScriptedIngestor: Sendable {
    struct Seen: Sendable {
        /// Every record in order of arrival, repetitions included.
        var records: [Frame.Record] = []
        var epoch = ""
        var frames = 0
        var singles = 0
    }

    private let seen = Mutex(Seen())
    private let outbox = Mutex<[Publication]>([])
    private let connection: Mutex<Connection?>
    private let home: String

    /// - Parameter answering: called with each batch of new records; the ranges it returns are acknowledged at once.
    init(
        port: Int, home: String = "home1",
        answering: @escaping @Sendable ([Frame.Record]) -> [ClosedRange<Int64>] = { _ in [] }
    ) throws {
        self.home = home
        connection = Mutex(nil)
        var settings = ConnectionSettings(host: "127.0.0.1", port: port, clientID: "scripted-ingestor")
        settings.cleanStart = false
        settings.sessionExpiry = 3600
        let made = Connection(settings, name: "ingestor") { [self] in
            Handler(owner: self, answering: answering)
        }
        try made.start()
        connection.withLock { $0 = made }
    }

    var now: Seen { seen.withLock { $0 } }
    var sequences: [Int64] { now.records.map(\.sequence) }
    var isConnected: Bool {
        if case .connected = connection.withLock({ $0 })?.state { return true }
        return false
    }

    /// Sends an acknowledgement from outside any batch.
    func acknowledge(_ ranges: [ClosedRange<Int64>], epoch: String? = nil) {
        let payload = Acknowledgement(epoch: epoch ?? now.epoch, ranges: ranges).payload
        send(payload)
    }

    /// Sends any bytes as an acknowledgement.
    func send(_ payload: [UInt8]) {
        outbox.withLock { $0.append(Publication(topic: "\(home)/gateway/ack", payload: payload)) }
        connection.withLock { $0 }?.wake()
    }

    func stop() { connection.withLock { $0 }?.stop(within: 1_000_000_000) }

    private final class Handler: ConnectionHandler {
        let owner: ScriptedIngestor
        let answering: @Sendable ([Frame.Record]) -> [ClosedRange<Int64>]

        init(owner: ScriptedIngestor, answering: @escaping @Sendable ([Frame.Record]) -> [ClosedRange<Int64>]) {
            self.owner = owner
            self.answering = answering
        }

        func connected(_ link: Link, sessionPresent: Bool) {
            _ = try? link.subscribe(["\(owner.home)/+/temperature", "\(owner.home)/+/heatpump", "\(owner.home)/frame"])
        }

        func received(_ batch: [Message], on link: Link) throws {
            var records: [Frame.Record] = []
            for message in batch {
                if message.topic == "\(owner.home)/frame" {
                    let frame = try Frame.decode(message.payload, with: .zlib)
                    records += frame.records
                    owner.seen.withLock {
                        $0.epoch = frame.epoch
                        $0.frames += 1
                    }
                } else if let sequence = message.userProperties.first(where: { $0.name == "seq" }).flatMap({
                    Int64($0.value)
                }) {
                    let topic = String(message.topic.dropFirst(owner.home.count + 1))
                    records.append(.init(sequence: sequence, topic: topic, payload: message.payload))
                    owner.seen.withLock {
                        $0.epoch = message.userProperties.first { $0.name == "epoch" }?.value ?? $0.epoch
                        $0.singles += 1
                    }
                }
            }
            owner.seen.withLock { $0.records += records }
            let ranges = answering(records)
            if !ranges.isEmpty { owner.acknowledge(ranges) }
        }

        func turn(_ link: Link?, now: Int64) -> Int64? {
            guard let link else { return nil }
            let waiting = owner.outbox.withLock { outbox in
                defer { outbox = [] }
                return outbox
            }
            for publication in waiting { _ = try? link.publish(publication) }
            return nil
        }

        func disconnected(_ cause: Disconnection, after: Int64) -> Int64 { 100_000_000 }
    }
}
