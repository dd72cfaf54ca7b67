extension Frame {
    /// The frame's bytes. A frame that breaks the limits in ``Frame`` encodes, and is refused by
    /// ``decode(_:limit:with:)``.
    ///
    /// - Parameter compression: used where it makes the frame smaller.
    public func encode(with compression: FrameCompression? = nil) -> [UInt8] {
        let body = body()
        var output = Self.magic + [Self.version]
        if let compressed = compression?.compress(body), compressed.count + 9 < body.count {
            output.append(Self.isCompressed)
            output.appendVarint(UInt64(body.count))
            output += compressed
        } else {
            output.append(0)
            output += body
        }
        let checksum = FrameChecksum.checksum(output.span, 0..<output.count)
        for shift in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: checksum >> shift)) }
        return output
    }

    private func body() -> [UInt8] {
        var topics: [ExactString] = []
        var indices: [ExactString: Int] = [:]
        var topicOfRecord: [Int] = []
        topicOfRecord.reserveCapacity(records.count)
        for record in records {
            let topic = ExactString(record.topic)
            let index = indices[topic] ?? topics.count
            if index == topics.count {
                topics.append(topic)
                indices[topic] = index
            }
            topicOfRecord.append(index)
        }

        var output: [UInt8] = []
        output.reserveCapacity(64 + records.count * 64)
        output.appendVarint(UInt64(epoch.utf8.count))
        output += epoch.utf8
        output.appendVarint(UInt64(topics.count))
        for topic in topics {
            output.appendVarint(UInt64(topic.text.utf8.count))
            output += topic.text.utf8
        }
        output.appendVarint(UInt64(records.count))
        append(to: &output, topicOfRecord, topicCount: topics.count)
        return output
    }

    private func append(to output: inout [UInt8], _ topicOfRecord: [Int], topicCount: Int) {
        var previous = [[UInt8]](repeating: [], count: topicCount)
        var sequence: Int64 = 0
        for (record, topic) in zip(records, topicOfRecord) {
            output.appendVarint(UInt64(bitPattern: record.sequence &- sequence))
            sequence = record.sequence
            output.appendVarint(UInt64(topic))
            let (old, new) = (previous[topic], record.payload)
            let shared = Self.shared(old.span, new.span)
            output.appendVarint(UInt64(shared.prefix))
            output.appendVarint(UInt64(shared.suffix))
            let middle = new[shared.prefix..<(new.count - shared.suffix)]
            output.appendVarint(UInt64(middle.count))
            output += middle
            output.appendVarint(UInt64(record.attributes.count))
            output += record.attributes
            previous[topic] = new
        }
    }

    /// How many bytes two payloads have in common at the front, and of the rest at the back.
    private static func shared(_ old: Span<UInt8>, _ new: Span<UInt8>) -> (prefix: Int, suffix: Int) {
        let most = min(old.count, new.count)
        var prefix = 0
        while prefix < most, old[prefix] == new[prefix] { prefix += 1 }
        var suffix = 0
        while suffix < most - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] { suffix += 1 }
        return (prefix, suffix)
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
