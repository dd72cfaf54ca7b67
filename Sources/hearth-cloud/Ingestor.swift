import EventLog
import Heating
import Logging
import MQTT

/// Cloud MQTT → event log. The PUBACK of a batch leaves only after the log has confirmed all of it, and only then are
/// its sequences confirmed to the homes, which may forget them.
///
/// A handler on its connection's thread. Waiting for the log there is the back-pressure: while the log is away nothing
/// more is read, the broker queues, and what it loses the homes send again.
final class Ingestor: ConnectionHandler {
    /// `$share` names the group, so that several replicas share the load (MQTT 5 section 4.8.2).
    private static let group = "$share/hearth-ingest/"

    private let log: any EventLog
    private let decoder: IngestDecoder
    private let metrics: IngestMetrics
    private let logger: Logger
    /// There are few ingestors and their broker is near: unlike ten thousand homes they need not spread out for a minute.
    private var backoff = Backoff(base: .milliseconds(500), cap: .seconds(5))
    private var words = RepeatedWords()

    init(log: any EventLog, topics: LogTopics, metrics: IngestMetrics, logger: Logger) {
        self.log = log
        decoder = IngestDecoder(topics: topics)
        self.metrics = metrics
        self.logger = logger
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        say("connected to the cloud broker", .info, ["session": "\(sessionPresent)"])
        let prefix = link.version == .v5 ? Self.group : ""
        let filters = ["+/+/temperature", "+/+/heatpump", "+/frame"]
        do {
            try link.subscribe(filters.map { prefix + $0 })
        } catch {
            link.drop("subscribing to the homes: \(error)")
        }
    }

    func received(_ batch: [Message], on link: Link) throws {
        // A retained message is a copy of one that was delivered live; whoever retains readings would flood us.
        let decoded = decoder.decode(batch.filter { !$0.isRetained }, arrival: CloudClock.wall)
        if !decoded.events.isEmpty {
            let started = CloudClock.bootNanoseconds
            do {
                try log.append(decoded.events)
                metrics.appended(since: started)
            } catch {
                metrics.failed("\(error)")
                say("the event log did not take a batch; nothing is acknowledged: \(error)", .error)
                throw error
            }
        }
        metrics.ingested(decoded)
        confirm(decoded, on: link)
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        guard let refused = reasons.first(where: { !$0.isSuccess }) else { return }
        say(
            "the cloud broker refused a subscription, \(refused); nothing is ingested. Write into its ACL file, below the"
                + " ingestor's user: topic read +/+/temperature, topic read +/+/heatpump, topic read +/frame", .error)
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        say("no cloud broker: \(cause)", .warning)
        backoff.connectionLasted(.nanoseconds(after))
        var random = SystemRandomNumberGenerator()
        return backoff.next(using: &random).wholeNanoseconds
    }

    private func say(_ text: String, _ level: Logger.Level, _ metadata: Logger.Metadata = [:]) {
        let now = Instant(nanoseconds: CloudClock.bootNanoseconds)
        if let line = words.say(text, now: now) { logger.log(level: level, "\(line)", metadata: metadata) }
    }

    private func confirm(_ batch: IngestBatch, on link: Link) {
        for (home, epochs) in batch.confirmations {
            for (epoch, sequences) in epochs {
                let acknowledgement = Acknowledgement(epoch: epoch.text, ranges: sequences.ranges)
                // A confirmation that cannot be sent is given again when the home sends the record again.
                _ = try? link.publish(
                    Publication(topic: CloudTopic.ack(home).string, payload: acknowledgement.payload, qos: 1))
            }
        }
    }
}
