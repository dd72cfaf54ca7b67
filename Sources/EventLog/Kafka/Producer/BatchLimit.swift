/// How much is handed to librdkafka at once, learnt from what a topic has refused: librdkafka does not know the topic's
/// `max.message.bytes`. A value.
///
/// Half of what was refused is the limit from then on; after many batches without a refusal it may be a little more again,
/// since somebody may have raised the topic's setting.
struct BatchLimit {
    private static let batchesBeforeMore = 1000
    private(set) var bytes = Int.max
    private var taken = 0

    /// Where a batch of these events ends that begins at `start`; it has one event at least.
    mutating func end(of events: [Event], from start: Int) -> Int {
        guard bytes < .max else { return events.endIndex }
        taken += 1
        if taken >= Self.batchesBeforeMore {
            taken = 0
            bytes += bytes / 4
            if bytes > 64 << 20 { bytes = .max }
        }
        var end = start
        var size = 0
        while end < events.endIndex, end == start || size + events[end].size <= bytes {
            size += events[end].size
            end += 1
        }
        return end
    }

    mutating func refused(_ events: ArraySlice<Event>) {
        taken = 0
        bytes = min(bytes, max(1, events.reduce(0) { $0 + $1.size } / 2))
    }
}
