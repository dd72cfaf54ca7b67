import Compression
import EventLog
import Heating
import MQTT

/// Turns messages into events. The home in the *topic* is the only home a message can write to: nothing inside a
/// payload, a frame or a user property can change it, and the broker's ACL guards the topic. Keeps what each home has
/// cost lately, so that none of them costs the others; a value for one thread.
struct IngestDecoder {
    /// Bytes a frame may expand to: a gateway's frames have up to 256 KiB of records.
    static let frameLimit = 1 << 20
    /// What the log spends on a dead letter beside its bytes and names, about.
    private static let letterOverhead = 384
    /// Four MiB of frames' contents a second, which is 50 000 readings: more than a home's box can make.
    static let contentLimit = ByteBudget.Limit(burst: 64 << 20, perHour: 3600 * 4 << 20)

    var topics: LogTopics
    private var deadLetters = ByteBudget(
        home: .init(burst: 1 << 20, perHour: 1 << 20), all: .init(burst: 8 << 20, perHour: 8 << 20))
    private var contents: ByteBudget
    private var company = Company()
    private var measures = MeasureTable()
    /// Whether there is more to do than time for it, so that what one home sends makes the others wait.
    var isBusy = true

    /// - Parameter contentLimit: what the contents of each home's frames may have.
    init(topics: LogTopics, contentLimit: ByteBudget.Limit = Self.contentLimit) {
        self.topics = topics
        contents = ByteBudget(home: contentLimit, all: nil)
    }

    /// - Parameter arrival: the time for commands of controllers that sent none.
    mutating func decode(_ messages: [Message], arrival: Timestamp, now: Instant = .zero) -> IngestBatch {
        var batch = IngestBatch(arrival: arrival)
        for message in messages { decode(message, into: &batch, now: now) }
        return batch
    }

    /// - Parameter now: boot time.
    mutating func decode(_ message: Message, into batch: inout IngestBatch, now: Instant) {
        switch CloudTopic(message.topic) {
        case .temperature(let home, let room)?:
            company.saw(home, now: now)
            let origin = Origin(home: home, properties: message.userProperties)
            record(.reading(room, .temperature), message.payload, message.topic, origin, into: &batch, now)
        case .measure(let home, let room, let measure)?:
            company.saw(home, now: now)
            let origin = Origin(home: home, properties: message.userProperties)
            record(.reading(room, measure), message.payload, message.topic, origin, into: &batch, now)
        case .heatpump(let home, let room)?:
            company.saw(home, now: now)
            let origin = Origin(home: home, properties: message.userProperties)
            record(.heatpump(room), message.payload, message.topic, origin, into: &batch, now)
        case .frame(let home)?:
            company.saw(home, now: now)
            frame(home, message, into: &batch, now)
        default:
            guard let home = Self.firstLevel(message.topic) else {
                batch.refused["unknown_topic", default: 0] += 1
                return
            }
            deadLetter(
                message.payload, home, key: message.topic, source: message.topic, "unknown_topic", nil, into: &batch,
                now)
        }
    }

    /// Sets a message aside that has ended this process before.
    mutating func pass(_ message: Message, into batch: inout IngestBatch, now: Instant) {
        guard let home = Self.firstLevel(message.topic) else { return }
        refuse(message, home, "ends_the_ingestor", into: &batch, now)
    }

    private static func firstLevel(_ topic: String) -> HomeID? {
        String(topic.utf8.prefix { $0 != UInt8(ascii: "/") }).flatMap { HomeID($0) } ?? HomeID("nobody")
    }

    private mutating func frame(_ home: HomeID, _ message: Message, into batch: inout IngestBatch, _ now: Instant) {
        let frame: Frame
        do throws(FrameError) {
            frame = try Frame.decode(message.payload, limit: Self.frameLimit, with: .zlib)
        } catch {
            // Not confirmed: a frame we cannot read is either hostile or from a newer gateway, which must not forget it.
            refuse(message, home, "bad_frame: \(error)", into: &batch, now)
            return
        }
        guard frame.epoch.utf8.count <= Origin.nameLimit else {
            refuse(message, home, "bad_epoch", into: &batch, now)
            return
        }
        // Alone, or while there is time for all, it may go as fast as it can; it may not take the others' time.
        let content = frame.records.reduce(0) { $0 + $1.payload.count + $1.topic.utf8.count + $1.attributes.count }
        guard contents.take(content, of: home, now: now) || !isBusy || !company.isShared(now: now) else {
            batch.refused["too_fast", default: 0] += 1
            return
        }
        for record in frame.records {
            let origin = Origin(home: home, epoch: frame.epoch, record: record)
            let source = "\(home.name)/\(record.topic)"
            guard let topic = RecordTopic(record.topic) else {
                deadLetter(
                    record.payload, home, key: home.name, source: source, "unknown_topic", origin.mark, into: &batch,
                    now)
                continue
            }
            self.record(topic, record.payload, source, origin, into: &batch, now)
        }
    }

    private mutating func record(
        _ topic: RecordTopic, _ payload: [UInt8], _ source: String, _ origin: Origin, into batch: inout IngestBatch,
        _ now: Instant
    ) {
        if let measure = topic.otherMeasure, !measures.takes(measure, of: origin.home) {
            deadLetter(
                payload, origin.home, key: origin.home.name, source: source, "too_many_measures", origin.mark,
                origin.properties, into: &batch, now)
            return
        }
        do throws(PayloadError) {
            switch topic {
            case .reading(let room, let measure):
                let reading = try Reading(payload: payload)
                batch.add(Event(reading, measure, of: room, origin, topic: topics.raw), confirming: origin.mark)
                batch.readings += 1
            case .heatpump(let room):
                let command = try HeatPumpCommand(payload: payload)
                batch.add(
                    CommandEvent(origin, room, command, arrival: batch.arrival).event(topic: topics.commands),
                    confirming: origin.mark)
                batch.commands += 1
            }
        } catch {
            // A dead letter is confirmed too: the log has it, sending it again would change nothing.
            deadLetter(
                payload, origin.home, key: origin.home.name, source: source, error.rawValue, origin.mark,
                origin.properties, into: &batch, now)
        }
    }

    /// A message that its home must keep.
    private mutating func refuse(
        _ message: Message, _ home: HomeID, _ reason: String, into batch: inout IngestBatch, _ now: Instant
    ) {
        deadLetter(message.payload, home, key: home.name, source: message.topic, reason, nil, into: &batch, now)
    }

    /// Keeps what cannot be used, as long as its home and all homes together have not filled the log with it. Beyond
    /// that it is counted and not confirmed, so whoever still has it sends it again when there is place.
    private mutating func deadLetter(
        _ payload: [UInt8], _ home: HomeID, key: String, source: String, _ reason: String, _ mark: IngestBatch.Mark?,
        _ properties: [(name: String, value: String)] = [], into batch: inout IngestBatch, _ now: Instant
    ) {
        let label = String(reason.prefix { $0 != ":" && $0 != " " })
        // Before the letter is made: to hash what is not kept would cost the others time.
        let names = key.utf8.count + source.utf8.count + reason.utf8.count
        let size = min(payload.count, DeadLetter.bytesKept) + names + Self.letterOverhead
        guard deadLetters.take(size, of: home, now: now) else {
            batch.refused[label, default: 0] += 1
            return
        }
        batch.deadLetters[label, default: 0] += 1
        let letter = DeadLetter(key: key, source: source, reason: reason, bytes: payload, properties: properties)
        batch.add(letter.event(topic: topics.deadLetter), confirming: mark)
    }

    /// Whether more than one home has sent something lately.
    private struct Company {
        private static let memory = Duration.seconds(10)
        private var last: HomeID?
        private var changed: Instant?

        mutating func saw(_ home: HomeID, now: Instant) {
            guard last != home else { return }
            if last != nil { changed = now }
            last = home
        }

        func isShared(now: Instant) -> Bool { changed.map { now - $0 < Self.memory } ?? false }
    }
}
