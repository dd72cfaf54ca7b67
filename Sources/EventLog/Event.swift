/// One record: what a caller appends, and what a reader gets back unchanged, with its place in the log.
public struct Event: Sendable, Equatable {
    public var topic: String
    /// What the order is kept for, usually the home. Events of one key are read in the order of their appends. Keys
    /// that a foreign producer wrote and that are not UTF-8 come back repaired (U+FFFD).
    public var key: String?
    /// Nil is a tombstone: a record that says "nothing here any more". It is delivered like any other.
    ///
    /// What a reader gives may be a part of what it read at once, up to 16 KiB, which stays in memory with it: whoever
    /// keeps a few for long keeps copies.
    public var value: ArraySlice<UInt8>?
    public var headers: [Header]
    // Its place, which the log gives it: an append does not look at what is here.
    public var partition: Int32
    /// Ascending within a partition, with gaps.
    public var offset: Int64
    /// When the log took it, wall nanoseconds since 1970; 0 if the log does not say.
    public var appendedAt: Int64

    public init(topic: String, key: String? = nil, value: [UInt8], headers: [Header] = []) {
        self.init(topic: topic, key: key, value: value[...], headers: headers)
    }

    public init(
        topic: String, key: String? = nil, value: ArraySlice<UInt8>?, headers: [Header] = [], partition: Int32 = 0,
        offset: Int64 = 0, appendedAt: Int64 = 0
    ) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
        self.partition = partition
        self.offset = offset
        self.appendedAt = appendedAt
    }

    public var position: TopicPartition { TopicPartition(topic: topic, partition: partition) }

    /// A name with bytes. Names may repeat; the order is kept.
    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Bytes of key, value and headers.
    public var size: Int {
        var size = (key?.utf8.count ?? 0) + (value?.count ?? 0)
        for header in headers { size += header.name.utf8.count + header.value.count }
        return size
    }
}

/// One ordered sequence of events: a partition of a topic. The journal engine has one per topic, number 0.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    public var description: String { "\(topic)[\(partition)]" }
}

/// What one read brought, to be applied in the order of the fields: drop what is known of `revoked`, then start afresh
/// with `assigned`, then take `events`.
public struct EventBatch: Sendable, Equatable {
    /// Partitions that this reader had and has no more. Another reader may be reading them already, from the last
    /// committed offset.
    public var revoked: [TopicPartition] = []
    /// Partitions that this reader has from now on; their events begin at the committed offset.
    public var assigned: [TopicPartition] = []
    /// Ascending offsets within a partition; none of a partition in `revoked` unless it is in `assigned` too.
    public var events: [Event] = []

    public init(revoked: [TopicPartition] = [], assigned: [TopicPartition] = [], events: [Event] = []) {
        self.revoked = revoked
        self.assigned = assigned
        self.events = events
    }

    public var isEmpty: Bool { revoked.isEmpty && assigned.isEmpty && events.isEmpty }

    /// Where each partition goes on after this batch: what to commit once all of it is dealt with.
    public var nextOffsets: [TopicPartition: Int64] {
        var offsets: [TopicPartition: Int64] = [:]
        for event in events { offsets[event.position] = event.offset + 1 }
        return offsets
    }
}
