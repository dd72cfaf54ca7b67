extension Frame {
    /// What a body may have beyond the content it stands for: a few numbers for each record.
    private static let bodyOverhead = 32 * recordLimit

    /// Reads a frame from the network. Never traps; allocates at most `limit` bytes of content, and as much again for a
    /// compressed body.
    ///
    /// - Parameters:
    ///   - limit: the largest sum of the decoded records' topics, payloads and attributes, in bytes. A few input
    ///     bytes can stand for a long payload that repeats the one before it, so the input's size is no bound.
    ///   - compression: without it a compressed frame is an `unsupportedFlags`.
    public static func decode(
        _ bytes: some Collection<UInt8>, limit: Int = Frame.expandedLimit, with compression: FrameCompression? = nil
    ) throws(FrameError) -> Frame {
        try bytes.withBytes { span in
            Result { () throws(FrameError) in try decode(span, limit: limit, compression) }
        }.get()
    }

    private static func decode(
        _ bytes: Span<UInt8>, limit: Int, _ compression: FrameCompression?
    ) throws(FrameError) -> Frame {
        let header = magic.count + 2
        guard bytes.count >= magic.count, bytes[0] == magic[0], bytes[1] == magic[1] else { throw .notAFrame }
        guard bytes.count >= header + 4 else { throw .truncated }
        guard bytes[2] == version else { throw .unsupportedVersion }
        guard bytes[3] & ~isCompressed == 0, bytes[3] == 0 || compression != nil else { throw .unsupportedFlags }
        let end = bytes.count - 4
        let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << (8 * $1) }
        guard FrameChecksum.checksum(bytes, 0..<end) == stored else { throw .checksum }
        var reader = FrameReader(index: header, end: end)
        guard let compression, bytes[3] == isCompressed else { return try body(&reader, bytes, limit: limit) }

        let count = try reader.number(bytes)
        guard count - bodyOverhead <= limit else { throw .tooLarge }
        guard let content = compression.decompress(bytes.array(reader.index..<end), count) else {
            throw .badCompression
        }
        reader = FrameReader(index: 0, end: content.count)
        return try body(&reader, content.span, limit: limit)
    }

    private static func body(
        _ reader: inout FrameReader, _ bytes: Span<UInt8>, limit: Int
    ) throws(FrameError) -> Frame {
        let epochRange = try reader.run(bytes)
        guard epochRange.count <= Acknowledgement.longestEpoch, let epoch = validText(bytes, epochRange) else {
            throw .badEpoch
        }
        let topics = try topics(&reader, bytes)
        let records = try records(&reader, bytes, topics, limit: limit)
        guard reader.index == reader.end else { throw .trailingBytes }
        return Frame(epoch: epoch, records: records)
    }

    private static func topics(_ reader: inout FrameReader, _ bytes: Span<UInt8>) throws(FrameError) -> [String] {
        let count = try reader.number(bytes)
        guard count <= recordLimit else { throw .tooManyRecords }
        var topics: [String] = []
        for _ in 0..<count {
            let range = try reader.run(bytes)
            guard range.count <= longestTopic, let topic = validText(bytes, range) else { throw .badTopic }
            topics.append(topic)
        }
        return topics
    }

    private static func records(
        _ reader: inout FrameReader, _ bytes: Span<UInt8>, _ topics: [String], limit: Int
    ) throws(FrameError) -> [Record] {
        let count = try reader.number(bytes)
        guard count <= recordLimit else { throw .tooManyRecords }
        var records: [Record] = []
        var previous = [[UInt8]](repeating: [], count: topics.count)
        var sequence: Int64 = 0
        var expanded = 0
        // Each record takes at least six bytes, so a lying count cannot reserve more than the input justifies.
        records.reserveCapacity(min(count, (reader.end - reader.index) / 6))
        for _ in 0..<count {
            let (next, overflow) = sequence.addingReportingOverflow(Int64(try reader.number(bytes)))
            guard next > sequence, !overflow else { throw .badSequence }
            sequence = next
            let topic = try reader.number(bytes)
            guard topic < topics.count else { throw .badTopic }
            let (prefix, suffix) = (try reader.number(bytes), try reader.number(bytes))
            let middle = try reader.run(bytes)
            let attributes = try reader.run(bytes)
            let old = previous[topic]
            guard prefix <= old.count, suffix <= old.count - prefix else { throw .badPayload }
            expanded += topics[topic].utf8.count + prefix + suffix + middle.count + attributes.count
            guard expanded <= limit else { throw .tooLarge }
            let payload = joined(old, prefix: prefix, bytes, middle, suffix: suffix)
            previous[topic] = payload
            records.append(
                Record(
                    sequence: sequence, topic: topics[topic], payload: payload, attributes: bytes.array(attributes)))
        }
        return records
    }

    private static func joined(
        _ old: [UInt8], prefix: Int, _ bytes: Span<UInt8>, _ middle: Range<Int>, suffix: Int
    ) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(prefix + middle.count + suffix)
        payload += old[..<prefix]
        for index in middle { payload.append(bytes[index]) }
        payload += old[(old.count - suffix)...]
        return payload
    }

    private static func validText(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard (try? UTF8Span(validating: bytes.extracting(range))) != nil else { return nil }
        return bytes.text(range)
    }
}

/// A reading position in a frame's body; the bytes are passed in because a span cannot be stored.
private struct FrameReader {
    var index: Int
    let end: Int

    /// A varint of at most 63 bits.
    mutating func number(_ bytes: Span<UInt8>) throws(FrameError) -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < end {
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(value) }
            shift += 7
            guard shift < 63 else { throw .badNumber }
        }
        throw .truncated
    }

    /// A length and that many bytes.
    mutating func run(_ bytes: Span<UInt8>) throws(FrameError) -> Range<Int> {
        let length = try number(bytes)
        guard length <= end - index else { throw .truncated }
        index += length
        return (index - length)..<index
    }
}
