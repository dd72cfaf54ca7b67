import Compression
import EventLog
import Heating
import MQTT

/// What one batch from the cloud broker becomes: events for the log and, per home, what may be confirmed once the log
/// has them. A pure decision; ``Ingestor`` has the effects.
struct IngestBatch {
    let arrival: Timestamp
    var events: [Event] = []
    /// Sequences to confirm, per home and epoch.
    var confirmations: [HomeID: [ExactString: SequenceRanges]] = [:]
    var readings = 0
    var commands = 0
    /// Dead letters by reason.
    var deadLetters: [String: Int] = [:]  // Own names: reasons.
}

/// Turns messages into events. The home in the *topic* is the only home a message can write to: nothing inside a
/// payload, a frame or a user property can change it, and the broker's ACL guards the topic.
struct IngestDecoder {
    /// Bytes a frame may expand to.
    static let frameLimit = 16 << 20

    var topics: LogTopics

    /// - Parameter arrival: the time for commands of controllers that sent none.
    func decode(_ messages: [Message], arrival: Timestamp) -> IngestBatch {
        var batch = IngestBatch(arrival: arrival)
        for message in messages { decode(message, into: &batch) }
        return batch
    }

    private func decode(_ message: Message, into batch: inout IngestBatch) {
        switch CloudTopic(message.topic) {
        case .temperature(let home, let room)?:
            let origin = Origin(home: home, properties: message.userProperties)
            record(.temperature(room), message.payload, message.topic, origin, into: &batch)
        case .heatpump(let home, let room)?:
            let origin = Origin(home: home, properties: message.userProperties)
            record(.heatpump(room), message.payload, message.topic, origin, into: &batch)
        case .frame(let home)?:
            frame(home, message, into: &batch)
        default:
            deadLetter(message.payload, key: message.topic, source: message.topic, "unknown_topic", into: &batch)
        }
    }

    private func frame(_ home: HomeID, _ message: Message, into batch: inout IngestBatch) {
        do throws(FrameError) {
            let frame = try Frame.decode(message.payload, limit: Self.frameLimit, with: .zlib)
            guard frame.epoch.utf8.count <= Origin.nameLimit else {
                deadLetter(message.payload, key: home.name, source: message.topic, "bad_epoch", into: &batch)
                return
            }
            for record in frame.records {
                let origin = Origin(home: home, epoch: frame.epoch, record: record)
                let source = "\(home.name)/\(record.topic)"
                guard let topic = HomeTopic(record.topic) else {
                    deadLetter(record.payload, key: home.name, source: source, "unknown_topic", into: &batch)
                    confirm(origin, into: &batch)
                    continue
                }
                self.record(topic, record.payload, source, origin, into: &batch)
            }
        } catch {
            // Not confirmed: a frame we cannot read is either hostile or from a newer gateway, which must not forget it.
            deadLetter(message.payload, key: home.name, source: message.topic, "bad_frame: \(error)", into: &batch)
        }
    }

    private func record(
        _ topic: HomeTopic, _ payload: [UInt8], _ source: String, _ origin: Origin, into batch: inout IngestBatch
    ) {
        do throws(PayloadError) {
            switch topic {
            case .temperature(let room):
                let reading = try Reading(payload: payload)
                batch.events.append(RawEvent(origin, room, reading).event(topic: topics.raw))
                batch.readings += 1
            case .heatpump(let room):
                let command = try HeatPumpCommand(payload: payload)
                batch.events.append(
                    CommandEvent(origin, room, command, arrival: batch.arrival).event(topic: topics.commands))
                batch.commands += 1
            }
        } catch {
            deadLetter(payload, key: origin.home.name, source: source, error.rawValue, into: &batch)
        }
        // A dead letter is confirmed too: the log has it, sending it again would change nothing.
        confirm(origin, into: &batch)
    }

    private func confirm(_ origin: Origin, into batch: inout IngestBatch) {
        guard let epoch = origin.epoch, let sequence = origin.sequence else { return }
        batch.confirmations[origin.home, default: [:]][ExactString(epoch), default: SequenceRanges()].insert(
            sequence...sequence)
    }

    private func deadLetter(
        _ payload: [UInt8], key: String, source: String, _ reason: String, into batch: inout IngestBatch
    ) {
        let label = reason.prefix { $0 != ":" }
        batch.deadLetters[String(label), default: 0] += 1
        batch.events.append(
            DeadLetter(key: key, source: source, reason: reason, bytes: payload).event(topic: topics.deadLetter))
    }
}

/// Where a message came from and how its gateway counts it.
struct Origin {
    /// Longer epochs or zones are no gateway's; nor are longer times and reasons of a command, which would make events
    /// that no log takes.
    static let nameLimit = 64
    private static let textLimit = 512

    var home: HomeID
    var sequence: Int64?
    var epoch: String?
    /// Zone of naive timestamps, when it is not UTC.
    var zone: String?
    /// What the gateway knows about its time.
    var marks = TimeMarks()
    var timestamp: String?
    var reason: String?

    /// From the user properties of a single message; a plain producer has none.
    init(home: HomeID, properties: [UserProperty]) {
        self.home = home
        for property in properties where property.value.utf8.count <= Self.textLimit {
            switch property.name {
            case "seq": sequence = Int64(property.value).flatMap { $0 > 0 ? $0 : nil }
            case "epoch" where property.value.utf8.count <= Self.nameLimit: epoch = property.value
            case "zone" where property.value.utf8.count <= Self.nameLimit: zone = property.value
            case "fold": marks.isSecondPass = property.value == "1"
            case "nth": marks.nth = Self.nth(property.value)
            case "timestamp": timestamp = property.value
            case "reason": reason = property.value
            default: break
            }
        }
    }

    /// From a record of a frame.
    init(home: HomeID, epoch: String, record: Frame.Record) {
        self.home = home
        self.epoch = epoch
        sequence = record.sequence
        guard !record.attributes.isEmpty, let json = try? JSON.parse(record.attributes) else { return }
        timestamp = Self.text(json["timestamp"], atMost: Self.textLimit)
        reason = Self.text(json["reason"], atMost: Self.textLimit)
        zone = Self.text(json["zone"], atMost: Self.nameLimit)
        marks.isSecondPass = json["fold"]?.string == "1"
        marks.nth = Self.nth(json["nth"]?.string)
    }

    /// 0, as if it were not there, for what no gateway writes.
    private static func nth(_ text: String?) -> Int {
        text.flatMap { Int($0) }.flatMap { (1...TimeMarks.nthLimit).contains($0) ? $0 : nil } ?? 0
    }

    private static func text(_ value: JSON?, atMost limit: Int) -> String? {
        value?.string.flatMap { $0.utf8.count <= limit ? $0 : nil }
    }
}
