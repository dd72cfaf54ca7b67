import Glibc
import Journal

/// How events become rows of the journal.
///
/// A row of one event has its value as the payload; what else there is goes into the attributes, which are empty for a
/// bare value. Otherwise: version 1, flags (1 tombstone, 2 key), the key if flagged, the number of headers, and name and
/// value of each; lengths and the number are unsigned LEB128.
///
/// A row of several events of one topic takes as many sequences. Its attributes are the one byte 2; the payload has, for
/// each event, its attributes as above and its value, both with their lengths before them. A row has its own cost beside
/// that of its events, so whoever appends many gets them in few rows.
enum EventCoding {
    private static let single: UInt8 = 1
    private static let several: UInt8 = 2
    private static let tombstone: UInt8 = 1
    private static let hasKey: UInt8 = 2

    /// Bytes of a row of several events. Not more, since a bit that the disk flips loses a row.
    private static let rowBytes = 16 << 10

    /// Rows for events in their order per topic.
    static func rows(_ events: ArraySlice<Event>, now: Int64) -> [Journal.Record] {
        var rows: [Journal.Record] = []
        // Few topics: the first is nearly always the one.
        var open: [OpenRow] = []
        for index in events.indices {
            let size = events[index].size
            guard let row = open.firstIndex(where: { $0.topic == events[index].topic }) else {
                open.append(OpenRow(topic: events[index].topic))
                open[open.count - 1].add(events[index])
                continue
            }
            if open[row].payload.count + size > rowBytes {
                rows.append(open[row].closed(now: now))
                open[row] = OpenRow(topic: open[row].topic)
            }
            open[row].add(events[index])
        }
        return rows + open.map { $0.closed(now: now) }
    }

    /// A row that is being filled.
    private struct OpenRow {
        let topic: String
        var count = 0
        var first: Event?
        var payload: [UInt8] = []

        mutating func add(_ event: borrowing Event) {
            if count == 0 { first = copy event }
            // As if more were to come; most that come alone are small.
            if count == 1 { payload.reserveCapacity(rowBytes + rowBytes / 4) }
            append(attributesSize(of: event), to: &payload)
            appendAttributes(of: event, to: &payload)
            append(event.value ?? [], to: &payload)
            count += 1
        }

        /// One event is a row without the others' lengths.
        func closed(now: Int64) -> Journal.Record {
            guard count == 1, let first else {
                // What was reserved for more would stay with the row, which is kept for a while.
                let payload = payload.capacity > 2 * payload.count ? exact(payload) : payload
                return Journal.Record(
                    topic: topic, payload: payload, attributes: [several], receivedAt: now, span: count)
            }
            var attributes: [UInt8] = []
            appendAttributes(of: first, to: &attributes)
            return Journal.Record(
                topic: topic, payload: Array(first.value ?? []), attributes: attributes, receivedAt: now)
        }
    }

    /// Appends the events of a row, as many as its span. A row whose attributes nobody here wrote is one event with its
    /// topic and value.
    static func append(_ record: Journal.Record, to events: inout [Event]) {
        if record.attributes == [several], appendSeveral(record, to: &events) { return }
        let extra = record.attributes.withUnsafeBytes { Extra($0) } ?? Extra()
        let value = extra.isTombstone ? nil : record.payload[...]
        events.append(
            Event(
                topic: record.topic, key: extra.key, value: value, headers: extra.headers, offset: record.sequence,
                appendedAt: record.receivedAt))
    }

    /// False, and nothing is appended, unless the payload is all of as many events as the row spans.
    private static func appendSeveral(_ record: Journal.Record, to events: inout [Event]) -> Bool {
        let start = events.count
        let isWhole = record.payload.withUnsafeBytes { payload in
            var bytes = Bytes(payload)
            var extra = Extra()
            var known = UnsafeRawBufferPointer(rebasing: payload[..<0])
            for offset in record.firstSequence...record.sequence {
                guard let attributes = bytes.run(), let value = bytes.run() else { return false }
                let those = UnsafeRawBufferPointer(rebasing: payload[attributes])
                // Events of one home often lie beside each other.
                if !areEqual(those, known) { extra = Extra(those) ?? Extra() }
                known = those
                events.append(
                    Event(
                        topic: record.topic, key: extra.key, value: extra.isTombstone ? nil : record.payload[value],
                        headers: extra.headers, offset: offset, appendedAt: record.receivedAt))
            }
            return bytes.isEmpty
        }
        if !isWhole { events.removeSubrange(start...) }
        return isWhole
    }

    /// What an event has beside topic and value.
    private struct Extra {
        var key: String?
        var headers: [Event.Header] = []
        var isTombstone = false

        init() {}

        /// nil when the attributes cannot be read.
        init?(_ attributes: UnsafeRawBufferPointer) {
            if attributes.isEmpty { return }
            var bytes = Bytes(attributes)
            guard bytes.byte() == single, let flags = bytes.byte() else { return nil }
            isTombstone = flags & tombstone != 0
            if flags & hasKey != 0 {
                guard let text = bytes.run() else { return nil }
                key = String(decoding: attributes[text], as: UTF8.self)
            }
            guard let count = bytes.number() else { return nil }
            for _ in 0..<count {
                guard let name = bytes.run(), let value = bytes.run() else { return nil }
                headers.append(
                    Event.Header(
                        name: String(decoding: attributes[name], as: UTF8.self), value: Array(attributes[value])))
            }
        }
    }

    private static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let start = left.baseAddress, let other = right.baseAddress else { return left.isEmpty }
        return memcmp(start, other, left.count) == 0
    }

    /// A copy that takes no more memory than it needs.
    private static func exact(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes.count) { copy, count in
            count = copy.initialize(fromContentsOf: bytes)
        }
    }

    private static func isBare(_ event: borrowing Event) -> Bool {
        event.key == nil && event.value != nil && event.headers.isEmpty
    }

    private static func appendAttributes(of event: borrowing Event, to bytes: inout [UInt8]) {
        guard !isBare(event) else { return }
        bytes.append(single)
        bytes.append((event.value == nil ? tombstone : 0) | (event.key == nil ? 0 : hasKey))
        if let key = event.key { append(key.utf8, to: &bytes) }
        append(event.headers.count, to: &bytes)
        for header in event.headers {
            append(header.name.utf8, to: &bytes)
            append(header.value, to: &bytes)
        }
    }

    /// How many bytes that appends.
    private static func attributesSize(of event: borrowing Event) -> Int {
        guard !isBare(event) else { return 0 }
        var size = 2 + lengthSize(event.headers.count)
        if let key = event.key { size += lengthSize(key.utf8.count) + key.utf8.count }
        for header in event.headers {
            size += lengthSize(header.name.utf8.count) + header.name.utf8.count
            size += lengthSize(header.value.count) + header.value.count
        }
        return size
    }

    private static func lengthSize(_ number: Int) -> Int { max(1, (Int.bitWidth - number.leadingZeroBitCount + 6) / 7) }

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
        private let bytes: UnsafeRawBufferPointer
        private var index = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        var isEmpty: Bool { index == bytes.count }

        mutating func byte() -> UInt8? {
            guard index < bytes.count else { return nil }
            defer { index += 1 }
            return bytes[index]
        }

        /// At most what is left, since every number here counts bytes or things that take some.
        mutating func number() -> Int? {
            // Most are of one byte.
            if index < bytes.count, bytes[index] < 0x80, Int(bytes[index]) < bytes.count - index {
                index += 1
                return Int(bytes[index - 1])
            }
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 63, by: 7) {
                guard let next = byte() else { return nil }
                value |= UInt64(next & 0x7f) << shift
                if next & 0x80 == 0 { return value <= UInt64(bytes.count - index) ? Int(value) : nil }
            }
            return nil
        }

        /// Where the bytes are that have their number before them.
        mutating func run() -> Range<Int>? {
            guard let count = number() else { return nil }
            defer { index += count }
            return index..<index + count
        }
    }
}
