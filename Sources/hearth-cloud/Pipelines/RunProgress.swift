import EventLog

/// How far the work of one reader has got.
struct RunProgress {
    /// An earlier run had dealt with everything before these offsets.
    var before: [TopicPartition: Int64] = [:]
    var committed: [TopicPartition: Int64] = [:]

    mutating func revoked(_ positions: [TopicPartition]) {
        for position in positions { (before[position], committed[position]) = (nil, nil) }
    }

    /// Its dead letter is in the log already.
    func isRepeated(_ stored: Event) -> Bool { stored.offset < before[stored.position] ?? 0 }
}
