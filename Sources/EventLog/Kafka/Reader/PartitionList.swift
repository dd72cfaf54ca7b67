import CRdkafka
import Glibc

/// What a group commits for a partition: where to read on, and in the metadata how far the work has got.
struct CommitMark: Sendable, Equatable {
    var next: Int64
    var reached: Int64?

    init(next: Int64, reached: Int64? = nil) {
        self.next = next
        self.reached = reached
    }

    /// Metadata that is not ours says nothing.
    init(_ element: rd_kafka_topic_partition_t) {
        next = element.offset
        guard let metadata = element.metadata else { return }
        let text = UnsafeRawBufferPointer(start: metadata, count: element.metadata_size).prefix { $0 != 0 }
        reached = Int64(String(decoding: text, as: UTF8.self))
    }
}

/// Owns a `rd_kafka_topic_partition_list_t`.
final class PartitionList {
    private let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// Lends the list; the pointer must not leave the closure, since the object may be gone after it.
    func withPointer<Result>(_ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Result) -> Result {
        withExtendedLifetime(self) { body(pointer) }
    }

    init(topics: [String]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(topics.count))
        for topic in topics { rd_kafka_topic_partition_list_add(pointer, topic, RD_KAFKA_PARTITION_UA) }
    }

    init(offsets: [TopicPartition: CommitMark]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (position, mark) in offsets {
            let element = rd_kafka_topic_partition_list_add(pointer, position.topic, position.partition)
            element?.pointee.offset = mark.next
            guard let reached = mark.reached else { continue }
            // Freed with the list.
            element?.pointee.metadata = UnsafeMutableRawPointer(strdup("\(reached)"))
            element?.pointee.metadata_size = "\(reached)".utf8.count
        }
    }

    deinit {
        rd_kafka_topic_partition_list_destroy(pointer)
    }
}

extension UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
    /// What `body` makes of each partition, where it is not nil.
    func elements<Value>(_ body: (rd_kafka_topic_partition_t) -> Value?) -> [TopicPartition: Value] {
        var values: [TopicPartition: Value] = [:]
        for (position, element) in zip(positions, UnsafeBufferPointer(start: pointee.elems, count: Int(pointee.cnt))) {
            values[position] = body(element)
        }
        return values
    }

    /// The partitions of a list that may be librdkafka's own.
    var positions: [TopicPartition] {
        UnsafeBufferPointer(start: pointee.elems, count: Int(pointee.cnt)).map {
            TopicPartition(topic: String(cString: $0.topic), partition: $0.partition)
        }
    }
}
