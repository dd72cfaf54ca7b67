import CRdkafka
import Machine

/// Where a partition is not what the reader expected of it: what is gone, and what has begun anew.
extension KafkaReader {
    /// Asks where the partitions begin for this group, and whether the log still has that.
    func place(_ positions: [TopicPartition], _ consumer: KafkaConsumer) {
        guard let marks = consumer.committedMarks(of: positions, within: 1_000),
            let firsts = log.offsets(RD_KAFKA_OFFSET_BEGINNING, of: positions)
        else { return }
        for position in positions {
            guard let first = firsts[position], let committed = marks[position]?.next else { continue }
            if committed >= 0, first > committed { noteLoss(position, committed, before: first) }
            progress.placed(position, at: committed >= 0 ? max(committed, first) : first)
        }
    }

    func note(_ jump: ReaderProgress.Jump) {
        if jump.found < jump.expected {
            log.board.update(group: group) { $0.resets += 1 }
            log.report(
                EventLogNotice(
                    .error,
                    "kafka: \(jump.position) is read from \(jump.found) again, where \(group) had got to \(jump.expected): "
                        + "the topic was made anew or offsets were reset. What it had before is lost unless it was read."
                ))
        } else if let first = log.offset(RD_KAFKA_OFFSET_BEGINNING, of: jump.position), first > jump.expected {
            noteLoss(jump.position, jump.expected, before: min(first, jump.found))
        }
    }

    private func noteLoss(_ position: TopicPartition, _ expected: Int64, before first: Int64) {
        log.board.update(group: group) { $0.lost += first - expected }
        log.report(
            EventLogNotice(
                .error,
                "kafka: \(position): the events \(expected) to \(first - 1) (\(first - expected)) were gone before \(group) "
                    + "had read them: the topic's retention or somebody deleted them, and their points are missing from the "
                    + "database. Keep events longer (retention.ms, retention.bytes) than a pipeline may be away."))
    }
}
