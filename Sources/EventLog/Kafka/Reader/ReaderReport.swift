import CRdkafka

/// What a reader tells of itself: its part of the group's numbers in the status, and what the operator should know.
///
/// Confined to the reader's thread; the status board and the notice handler are shared with others.
struct ReaderReport {
    private static let missingTopicPause: Int64 = 60_000_000_000

    private let peer: KafkaPeer
    private let group: String
    /// What this reader has put into the group's numbers, which other readers of this process may share.
    private var share = EventLogStatus.Group()
    /// When a missing topic may be told again; monotonic nanoseconds.
    private var missingTopics: [String: Int64] = [:]  // Own names: configured topics.

    init(_ peer: KafkaPeer, group: String) {
        self.peer = peer
        self.group = group
    }

    // MARK: Numbers

    func read(_ count: Int) {
        guard count > 0 else { return }
        peer.board.update(group: group) { $0.read += Int64(count) }
    }

    func replacedConsumer() { peer.board.update(group: group) { $0.readerRestarts += 1 } }

    /// Replaces this reader's part of the numbers.
    ///
    /// - Parameters:
    ///   - lag: events that were not read, and `uncommitted` those not committed; nil while that is not known.
    mutating func publish(lag: Int64?, uncommitted: Int64?, partitions: Int) {
        let before = share
        (share.lag, share.uncommitted, share.partitions) = (lag, uncommitted, partitions)
        peer.board.update(group: group) {
            $0.partitions += partitions - before.partitions
            if lag != nil || before.lag != nil { $0.lag = ($0.lag ?? 0) + (lag ?? 0) - (before.lag ?? 0) }
            if uncommitted != nil || before.uncommitted != nil {
                $0.uncommitted = ($0.uncommitted ?? 0) + (uncommitted ?? 0) - (before.uncommitted ?? 0)
            }
        }
    }

    // MARK: The log lacks something

    func lost(_ position: TopicPartition, _ expected: Int64, before first: Int64) {
        peer.board.update(group: group) { $0.lost += first - expected }
        tell(
            .error,
            "kafka: \(position): the events \(expected) to \(first - 1) (\(first - expected)) were gone before \(group) "
                + "had read them: the topic's retention or somebody deleted them, and their points are missing from the "
                + "database. Keep events longer (retention.ms, retention.bytes) than a pipeline may be away.")
    }

    func begunAgain(_ jump: ReaderProgress.Jump) {
        peer.board.update(group: group) { $0.resets += 1 }
        tell(
            .error,
            "kafka: \(jump.position) is read from \(jump.found) again, where \(group) had got to \(jump.expected): "
                + "the topic was made anew or offsets were reset. What it had before is lost unless it was read.")
    }

    func keepsNoMetadata() {
        tell(
            .error,
            "kafka: the cluster at \(peer.settings.bootstrap) does not keep the metadata of commits: after a restart "
                + "\(group) does not know how far it had got, and what it gathers over many events may lack some "
                + "of them. Use brokers that keep it, as Apache Kafka does.")
    }

    // MARK: The consumer

    /// An error that librdkafka goes on trying to overcome.
    func failed(_ doing: String, _ detail: String) { complain("\(doing): \(detail)") }

    /// A topic is missing. That comes with every refresh of the metadata; once a minute is enough.
    /// - Parameter now: monotonic nanoseconds.
    mutating func misses(_ topic: String?, _ code: rd_kafka_resp_err_t, _ doing: String, now: Int64) {
        guard now >= missingTopics[topic ?? "", default: 0] else { return }
        missingTopics[topic ?? ""] = now + Self.missingTopicPause
        complain(peer.error(code, doing).message)
    }

    func isReplaced(_ doing: String, because text: String) {
        tell(.error, "\(doing): \(text); replacing the consumer")
    }

    func wasLeftBehind(_ doing: String) {
        tell(.warning, "\(doing): the group went on without this reader; it joins again.")
    }

    func isStuck(_ position: TopicPartition, at next: Int64, of end: Int64) {
        tell(.error, "kafka: \(position) is stuck at \(next) of \(end) for \(group); replacing the consumer")
    }

    /// A new consumer has not helped.
    func deliversNothing(_ position: TopicPartition, from next: Int64, to end: Int64) {
        tell(.error, "kafka: \(position) delivers nothing between \(next) and \(end) to \(group)")
    }

    private func complain(_ message: String) {
        peer.board.update { $0.lastError = message }
        tell(.warning, message)
    }

    private func tell(_ level: EventLogNotice.Level, _ message: String) {
        peer.report(EventLogNotice(level, message))
    }
}
