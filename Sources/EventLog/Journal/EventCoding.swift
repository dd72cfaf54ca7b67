import Journal

/// How an event becomes a row of the journal: the value is the payload; what else there is goes into the attributes.
///
/// Attributes are empty for a bare value. Otherwise: version 1, flags (1 tombstone, 2 key), the key if flagged, the
/// number of headers, and name and value of each; lengths and the number are unsigned LEB128.
enum EventCoding {
    private static let version: UInt8 = 1
    private static let tombstone: UInt8 = 1
    private static let hasKey: UInt8 = 2

    static func entry(_ event: Event, now: Int64) -> Journal.Entry {
        Journal.Entry(
            topic: event.topic, payload: event.value ?? [], attributes: attributes(of: event), receivedAt: now)
    }

    /// An event whose attributes nobody here wrote keeps its topic and value.
    static func event(_ record: Journal.Record) -> Event {
        var event = Event(topic: record.topic, value: record.payload)
        guard !record.attributes.isEmpty else { return event }
        record.attributes.withUnsafeBytes { attributes in
            var bytes = Bytes(attributes)
            guard bytes.byte() == version, let flags = bytes.byte() else { return }
            var key: String?
            if flags & hasKey != 0 {
                guard let text = bytes.run() else { return }
                key = String(decoding: text, as: UTF8.self)
            }
            var headers: [Event.Header] = []
            guard let count = bytes.number() else { return }
            for _ in 0..<count {
                guard let name = bytes.run(), let value = bytes.run() else { return }
                headers.append(Event.Header(name: String(decoding: name, as: UTF8.self), value: Array(value)))
            }
            event.key = key
            event.headers = headers
            if flags & tombstone != 0 { event.value = nil }
        }
        return event
    }

    private static func attributes(of event: Event) -> [UInt8] {
        guard event.key != nil || event.value == nil || !event.headers.isEmpty else { return [] }
        var bytes = [version, (event.value == nil ? tombstone : 0) | (event.key == nil ? 0 : hasKey)]
        if let key = event.key { append(key.utf8, to: &bytes) }
        append(event.headers.count, to: &bytes)
        for header in event.headers {
            append(header.name.utf8, to: &bytes)
            append(header.value, to: &bytes)
        }
        return bytes
    }

    private static func append(_ run: some Collection<UInt8>, to bytes: inout [UInt8]) {
        append(run.count, to: &bytes)
        bytes += run
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        var rest = UInt(number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// What is left to read.
    private struct Bytes {
        private var rest: Slice<UnsafeRawBufferPointer>

        init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

        mutating func byte() -> UInt8? { rest.popFirst() }

        /// At most what is left, since every number here counts bytes or things that take some.
        mutating func number() -> Int? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 63, by: 7) {
                guard let next = byte() else { return nil }
                value |= UInt64(next & 0x7f) << shift
                if next & 0x80 == 0 { return value <= UInt64(rest.count) ? Int(value) : nil }
            }
            return nil
        }

        mutating func run() -> UnsafeRawBufferPointer? {
            guard let count = number() else { return nil }
            defer { rest = rest.dropFirst(count) }
            return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        }
    }
}
