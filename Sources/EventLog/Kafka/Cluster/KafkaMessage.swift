import CRdkafka

extension Event {
    /// Copies a message out of librdkafka's memory.
    init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topic: String) {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &kind)
        let isDated = kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && milliseconds >= 0
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(
            topic: topic,
            key: bytes(message.pointee.key, message.pointee.key_len) { String(decoding: $0, as: UTF8.self) },
            value: bytes(message.pointee.payload, message.pointee.len) { ArraySlice($0) },
            headers: Self.headers(of: message), partition: message.pointee.partition, offset: message.pointee.offset,
            appendedAt: isDated && !overflow ? nanoseconds : 0)
    }

    private static func headers(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> [Header] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var headers: [Header] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            headers.append(
                Header(
                    name: name.map { String(cString: $0) } ?? "", value: bytes(value, size) { Array($0) } ?? []))
        }
        return headers
    }
}

/// Nil for null, which is not the same as empty: a null value is a tombstone.
private func bytes<Result>(
    _ start: UnsafeRawPointer?, _ count: Int, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result? {
    start.map { body(UnsafeRawBufferPointer(start: $0, count: count)) }
}
