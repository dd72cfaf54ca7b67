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

    /// A row for the journal, and which of the events are in it.
    struct Row {
        var entry: Journal.Entry
        var indices: [Int]
    }

    /// Rows for events in their order per topic.
    static func rows(_ events: ArraySlice<Event>, now: Int64) -> [Row] {
        var rows: [Row] = []
        // Few topics: the first is nearly always the one.
        var open: [OpenRow] = []
        for index in events.indices {
            let size = events[index].size
            guard let row = open.firstIndex(where: { $0.topic == events[index].topic }) else {
                open.append(OpenRow(topic: events[index].topic))
                open[open.count - 1].add(events[index], index)
                continue
            }
            if open[row].payload.count + size > rowBytes {
                rows.append(open[row].closed(events, now: now))
                open[row] = OpenRow(topic: open[row].topic)
            }
            open[row].add(events[index], index)
        }
        return rows + open.map { $0.closed(events, now: now) }
    }

    /// A row that is being filled.
    private struct OpenRow {
        let topic: String
        var indices: [Int] = []
        var payload: [UInt8] = []

        mutating func add(_ event: borrowing Event, _ index: Int) {
            // As if more were to come; most that come alone are small.
            if indices.count == 1 { payload.reserveCapacity(rowBytes + rowBytes / 4) }
            append(attributesSize(of: event), to: &payload)
            appendAttributes(of: event, to: &payload)
            append(event.value ?? [], to: &payload)
            indices.append(index)
        }

        /// One event is a row without the others' lengths.
        func closed(_ events: ArraySlice<Event>, now: Int64) -> Row {
            guard indices.count == 1 else {
                let entry = Journal.Entry(
                    topic: topic, payload: payload, attributes: [several], receivedAt: now, span: indices.count)
                return Row(entry: entry, indices: indices)
            }
            var attributes: [UInt8] = []
            appendAttributes(of: events[indices[0]], to: &attributes)
            let entry = Journal.Entry(
                topic: topic, payload: events[indices[0]].value ?? [], attributes: attributes, receivedAt: now)
            return Row(entry: entry, indices: indices)
        }
    }

    /// Appends the events of a row, as many as its span. A row whose attributes nobody here wrote is one event with its
    /// topic and value.
    static func append(_ record: Journal.Record, to events: inout [StoredEvent]) {
        if record.attributes == [several], appendSeveral(record, to: &events) { return }
        let plain = Event(topic: record.topic, value: record.payload)
        let event = record.attributes.withUnsafeBytes { Self.event(plain, attributes: $0) }
        events.append(StoredEvent(event: event, partition: 0, offset: record.sequence, appendedAt: record.receivedAt))
    }

    /// False, and nothing is appended, unless the payload is all of as many events as the row spans.
    private static func appendSeveral(_ record: Journal.Record, to events: inout [StoredEvent]) -> Bool {
        let start = events.count
        let isWhole = record.payload.withUnsafeBytes { payload in
            var bytes = Bytes(payload)
            for offset in record.firstSequence...record.sequence {
                guard let attributes = bytes.run(), let value = bytes.run() else { return false }
                let event = event(Event(topic: record.topic, value: Array(value)), attributes: attributes)
                events.append(StoredEvent(event: event, partition: 0, offset: offset, appendedAt: record.receivedAt))
            }
            return bytes.isEmpty
        }
        if !isWhole { events.removeSubrange(start...) }
        return isWhole
    }

    /// The bare event, with what the attributes say if they can be read.
    private static func event(_ bare: Event, attributes: UnsafeRawBufferPointer) -> Event {
        guard !attributes.isEmpty else { return bare }
        var event = bare
        var bytes = Bytes(attributes)
        guard bytes.byte() == single, let flags = bytes.byte() else { return bare }
        if flags & hasKey != 0 {
            guard let text = bytes.run() else { return bare }
            event.key = String(decoding: text, as: UTF8.self)
        }
        guard let count = bytes.number() else { return bare }
        for _ in 0..<count {
            guard let name = bytes.run(), let value = bytes.run() else { return bare }
            event.headers.append(Event.Header(name: String(decoding: name, as: UTF8.self), value: Array(value)))
        }
        if flags & tombstone != 0 { event.value = nil }
        return event
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
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 63, by: 7) {
                guard let next = byte() else { return nil }
                value |= UInt64(next & 0x7f) << shift
                if next & 0x80 == 0 { return value <= UInt64(bytes.count - index) ? Int(value) : nil }
            }
            return nil
        }

        mutating func run() -> UnsafeRawBufferPointer? {
            guard let count = number() else { return nil }
            defer { index += count }
            return UnsafeRawBufferPointer(rebasing: bytes[index..<index + count])
        }
    }
}
