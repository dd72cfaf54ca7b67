import CRdkafka
import Glibc
import Machine

/// A reader of Kafka: polls a consumer, commits synchronously, and replaces the consumer when it is stuck.
final class KafkaReader: EventReader {
    let log: KafkaLog
    private let group: String
    private let topics: [String]
    private let instance: String?

    private var consumer: KafkaConsumer?
    var progress = ReaderProgress()
    private var stalls: StallDetector
    var report: ReaderReport
    // An error that came after events of the same batch: the events go out first, or nobody would ever get them.
    private var pendingError: EventLogError?
    // The consumer met a fatal error.
    private var isBroken = false
    // Offsets that could not be committed because the group was rebalancing.
    private var deferred: [TopicPartition: CommitMark] = [:]
    private var hasCheckedMetadata = false
    private var nextPublication: Int64 = 0
    private var nextPlacing: Int64 = 0
    // Events behind a place where a partition began anew, for the next read.
    private var carried = EventBatch()
    // Partitions that have begun anew: what was committed of them before says nothing about them.
    private var anew: Set<TopicPartition> = []

    init(log: KafkaLog, group: String, topics: [String], instance: String?) throws(EventLogError) {
        self.log = log
        self.group = group
        self.topics = topics
        self.instance = instance
        report = ReaderReport(log.peer, group: group)
        stalls = StallDetector(patience: log.settings.stallTimeout.nanoseconds)
        consumer = try makeConsumer()
    }

    deinit {
        leave(within: 0)
    }

    func close() {
        leave(within: 3_000_000_000)
    }

    private func leave(within nanoseconds: Int64) {
        consumer?.retire(within: nanoseconds)
        consumer = nil
        report.publish(lag: nil, uncommitted: nil, partitions: 0)
    }

    private func makeConsumer() throws(EventLogError) -> KafkaConsumer {
        try KafkaConsumer(log.peer, group: group, topics: topics, instance: instance)
    }

    // MARK: Reading

    func read(atMost count: Int, within nanoseconds: Int64) throws(EventLogError) -> EventBatch {
        guard let consumer, !log.isClosed else { throw .closed }
        if let error = pendingError {
            pendingError = nil
            throw error
        }
        var batch = carried
        carried = EventBatch()
        let end = Clock.deadline(after: nanoseconds)
        var (hasNudged, hasChanged) = (false, false)
        repeat {
            // The first event is waited for, in slices so that a close is noticed; the rest is what is there already.
            let slice =
                batch.events.isEmpty
                ? max(0, min(end - Clock.monotonicNanoseconds, hasNudged ? 250_000_000 : 10_000_000)) : 0
            let found = consumer.poll(within: Int32((slice + 999_999) / 1_000_000)) { message in
                let changes = consumer.takeChanges()
                follow(changes)
                hasChanged = hasChanged || !changes.isEmpty
                take(message, after: changes, into: &batch)
            }
            if log.isClosed, batch.events.isEmpty { throw .closed }
            if !found, !batch.events.isEmpty || Clock.monotonicNanoseconds >= end { break }
            if !found, !hasNudged {
                hasNudged = true
                if let position = progress.waiting(consumer.knownEnd) { consumer.nudge(position) }
            }
        } while batch.events.count < count && !hasChanged && !consumer.hasChanges && pendingError == nil && !isBroken
        let changes = consumer.takeChanges()
        follow(changes)
        for change in changes { batch.apply(change) }
        settle(&batch, consumer, hasChanged: hasChanged || !changes.isEmpty)
        if batch.isEmpty, let error = pendingError {
            pendingError = nil
            throw error
        }
        if isBroken {
            try replace(consumer, &batch)
        } else if batch.events.isEmpty {
            try replaceIfStuck(&batch, consumer)
        }
        return batch
    }

    private func take(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, after changes: [Rebalances.Change],
        into batch: inout EventBatch
    ) {
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR, let name = rd_kafka_topic_name(message.pointee.rkt)
        else {
            for change in changes { batch.apply(change) }
            return noteError(message)
        }
        batch.take(Event(message, topic: String(cString: name)), after: changes)
    }

    /// Takes note of changes of the assignment, before any event that came after them.
    private func follow(_ changes: [Rebalances.Change]) {
        let now = Clock.monotonicNanoseconds
        for change in changes {
            switch change {
            case .assigned(let positions):
                progress.assigned(positions)
                anew.subtract(positions)
                nextPlacing = now
                stalls.assigned(positions, now: now)
            case .revoked(let positions):
                progress.revoked(positions)
                stalls.revoked(positions)
                for position in positions { deferred[position] = nil }
            }
        }
    }

    /// Notes how far each partition has got.
    private func settle(_ batch: inout EventBatch, _ consumer: KafkaConsumer, hasChanged: Bool) {
        let now = Clock.monotonicNanoseconds
        if now >= nextPlacing, !progress.unplaced.isEmpty {
            nextPlacing = now + 1_000_000_000
            place(progress.unplaced, consumer)
        }
        let jumps = progress.jumps(in: batch.events)
        let back = jumps.first(where: \.isBack)
        for jump in jumps.prefix(while: { !$0.isBack }) { look(into: jump) }
        if let back { beginAnew(back, &batch) }
        for (position, next) in batch.nextOffsets {
            progress.read(position, next: next, in: batch.events)
            stalls.read(position, next: next, now: now)
        }
        if let back { progress.beganAnew(back.position, at: back.found) }
        if !deferred.isEmpty, hasChanged { retryDeferred() }
        report.read(batch.events.count)
        if now >= nextPublication || hasChanged {
            nextPublication = now + 1_000_000_000
            report.publish(
                lag: progress.unread(consumer.knownEnd), uncommitted: progress.uncommitted(consumer.knownEnd),
                partitions: progress.count)
        }
    }

    /// Keeps what follows a jump back for the next read, which says that the partition was taken away and given anew: nobody
    /// may think of its events that they are those which had these offsets before.
    private func beginAnew(_ jump: ReaderProgress.Jump, _ batch: inout EventBatch) {
        look(into: jump)
        carried = EventBatch(
            revoked: [jump.position], assigned: [jump.position], events: Array(batch.events[jump.index...]))
        batch.events.removeSubrange(jump.index...)
        anew.insert(jump.position)
        deferred[jump.position] = nil
    }

    /// Errors that come in place of a message. Most say that librdkafka is trying again.
    private func noteError(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let code = message.pointee.err
        let topic = message.pointee.rkt.flatMap(rd_kafka_topic_name).map { String(cString: $0) }
        let detail = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? describe(code)
        let doing = "reading \(topic ?? topics.joined(separator: ", ")) for \(group)"
        switch code {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            break
        case RD_KAFKA_RESP_ERR__FATAL:
            noteFatal(consumer?.fatalError ?? (code, detail), doing)
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
            pendingError = log.peer.error(code, doing)
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
            report.misses(topic, code, doing, now: Clock.monotonicNanoseconds)
        default:
            report.failed(doing, detail)
        }
    }

    /// A consumer that met a fatal error returns nothing but this error.
    private func noteFatal(_ fatal: (code: rd_kafka_resp_err_t, text: String), _ doing: String) {
        if fatal.code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID {
            pendingError = log.peer.error(fatal.code, doing)
        } else {
            report.isReplaced(doing, because: fatal.text)
            isBroken = true
        }
    }

    // MARK: Committing

    func commit(
        _ offsets: [TopicPartition: Int64], reached: [TopicPartition: Int64], appending events: [Event]
    ) throws(EventLogError) {
        guard consumer != nil else { throw .closed }
        if !events.isEmpty { try log.append(events) }
        for (position, next) in offsets { deferred[position] = CommitMark(next: next, reached: reached[position]) }
        let wanted = deferred
        guard !wanted.isEmpty else { return }
        deferred = [:]
        let end = Clock.deadline(after: log.settings.appendTimeout.nanoseconds)
        while let error = try commitOnce(wanted, until: end) {
            guard error.code == .unreachable || error.code == .unknownTopic, Clock.monotonicNanoseconds < end else {
                deferred = wanted
                throw error
            }
            // The coordinator is moving or starting.
            usleep(200_000)
        }
    }

    func reached(_ position: TopicPartition) throws(EventLogError) -> Int64 {
        if anew.contains(position) { return 0 }
        let end = Clock.deadline(after: 10_000_000_000)
        while Clock.monotonicNanoseconds < end {
            guard let consumer, !log.isClosed else { throw .closed }
            guard let mark = consumer.committedMark(of: position, within: 1_000) else { continue }
            // Reading began before the group's place, which this log does not have.
            if let began = progress.began(position), began < mark.next { return 0 }
            return mark.reached ?? 0
        }
        throw log.peer.error(RD_KAFKA_RESP_ERR__TIMED_OUT, "asking how far \(group) had got in \(position)")
    }

    private func retryDeferred() {
        let wanted = deferred
        deferred = [:]
        // What fails here is only read again after a restart.
        _ = try? commitOnce(wanted, until: Clock.deadline(after: 1_000_000_000))
    }

    /// Returns an error that may pass.
    private func commitOnce(
        _ offsets: [TopicPartition: CommitMark], until end: Int64
    ) throws(EventLogError) -> EventLogError? {
        guard let consumer else { throw .closed }
        let result = consumer.commit(offsets, until: end, isClosed: { log.isClosed })
        if result == nil, log.isClosed { throw .closed }
        let doing = "committing offsets of \(group)"
        switch result {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            progress.committed(offsets.mapValues(\.next))
            checkMetadata(of: offsets, consumer)
        case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
            // The group forms anew, which needs this reader to poll; committed after that.
            deferred.merge(offsets) { later, _ in later }
        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
            report.wasLeftBehind(doing)
        case RD_KAFKA_RESP_ERR__NO_OFFSET:
            break
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__FATAL:
            let code = consumer.fatalError?.code ?? RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
            throw log.peer.error(code, doing)
        default:
            let code = result ?? RD_KAFKA_RESP_ERR__TIMED_OUT
            return log.peer.error(code, doing)
        }
        return nil
    }

    /// Says so once if the brokers took a commit's metadata and did not keep it: nothing fails until the next restart.
    private func checkMetadata(of offsets: [TopicPartition: CommitMark], _ consumer: KafkaConsumer) {
        guard !hasCheckedMetadata, let position = offsets.first(where: { $0.value.reached != nil })?.key,
            let kept = consumer.committedMark(of: position, within: 1_000)
        else { return }
        hasCheckedMetadata = true
        guard kept.next >= 0, kept.reached == nil else { return }
        report.keepsNoMetadata()
    }

    // MARK: Watching

    /// Asks, when a partition has been quiet for long, whether it should be; one question per empty read.
    private func replaceIfStuck(_ batch: inout EventBatch, _ consumer: KafkaConsumer) throws(EventLogError) {
        guard let (position, known) = stalls.due(now: Clock.monotonicNanoseconds) else { return }
        guard let newest = log.offset(RD_KAFKA_OFFSET_END, of: position) else {
            return stalls.unanswered(position, now: Clock.monotonicNanoseconds)
        }
        guard let next = known ?? firstOffset(of: position, consumer) else {
            return stalls.unanswered(position, now: Clock.monotonicNanoseconds)
        }
        switch stalls.observed(position, next: next, end: newest, now: Clock.monotonicNanoseconds) {
        case .fine, .suspect:
            return
        case .hopeless:
            report.deliversNothing(position, from: next, to: newest)
        case .stalled:
            report.isStuck(position, at: next, of: newest)
            try replace(consumer, &batch)
        }
    }

    /// Begins anew at the committed offsets.
    private func replace(_ old: KafkaConsumer, _ batch: inout EventBatch) throws(EventLogError) {
        report.replacedConsumer()
        old.retire(within: 5_000_000_000)
        consumer = nil
        let had = progress.positions
        batch.apply(.revoked(had))
        progress.revoked(had)
        stalls.revoked(had)
        deferred = [:]
        isBroken = false
        consumer = try makeConsumer()
    }
}
