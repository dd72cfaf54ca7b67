import CRdkafka

// Where the partitions begin for the group, and whether the log still has that.
extension KafkaReader {
    /// Asks where the partitions begin for this group, and whether the log still has that.
    func place(_ positions: [TopicPartition], _ consumer: KafkaConsumer) {
        guard let marks = consumer.committedMarks(of: positions, within: 1_000),
            let firsts = log.offsets(RD_KAFKA_OFFSET_BEGINNING, of: positions)
        else { return }
        for position in positions {
            guard let first = firsts[position], let committed = marks[position]?.next else { continue }
            if committed >= 0, first > committed { report.lost(position, committed, before: first) }
            progress.placed(position, at: committed >= 0 ? max(committed, first) : first)
        }
    }

    /// An event was not the one that was to come next: the topic is another, events are gone, or it is one of its gaps.
    func look(into jump: ReaderProgress.Jump) {
        if jump.found < jump.expected {
            report.begunAgain(jump)
        } else if let first = log.offset(RD_KAFKA_OFFSET_BEGINNING, of: jump.position), first > jump.expected {
            report.lost(jump.position, jump.expected, before: min(first, jump.found))
        }
    }

    /// Where a partition begins for this group when nothing of it was read yet.
    func firstOffset(of position: TopicPartition, _ consumer: KafkaConsumer) -> Int64? {
        guard let committed = consumer.committedMark(of: position, within: 1_000)?.next else { return nil }
        return committed >= 0 ? committed : log.offset(RD_KAFKA_OFFSET_BEGINNING, of: position)
    }
}
