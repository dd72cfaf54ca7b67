import Journal

/// How events become rows of the journal.
///
/// A row of one event has its value as the payload; what else there is goes into the attributes, which are empty for a
/// bare value. Otherwise: version 1, flags (1 tombstone, 2 key), the key if flagged, the number of headers, and name and
/// value of each; lengths and the number are unsigned LEB128.
///
/// A row of several events of one topic takes as many sequences. Its attributes are the one byte 2; the payload has, for
/// each event, its attributes as above and its value, both with their lengths before them. A row costs about as much as
/// reading twenty events out of one, so that whoever appends many gets them in few rows.
enum EventCoding {
    private static let single: UInt8 = 1
    private static let several: UInt8 = 2
    private static let tombstone: UInt8 = 1
    private static let hasKey: UInt8 = 2

    /// Bytes of a row of several events. More would hardly be faster, and a bit that the disk flips loses a row.
    private static let rowBytes = 16 << 10

    /// Rows for events in their order per topic.
    static func entries(_ events: ArraySlice<Event>, now: Int64) -> [Journal.Entry] {
        var entries: [Journal.Entry] = []
        // Few topics: the first is nearly always the one.
        var open: [(topic: String, events: [Event], bytes: Int)] = []
        for event in events {
            let size = event.size
            if let index = open.firstIndex(where: { $0.topic == event.topic }) {
                if open[index].bytes + size > rowBytes {
                    entries.append(entry(open[index].events, now: now))
                    open[index].events.removeAll(keepingCapacity: true)
                    open[index].bytes = 0
                }
                open[index].events.append(event)
                open[index].bytes += size
            } else {
                open.append((event.topic, [event], size))
            }
        }
        return entries + open.map { entry($0.events, now: now) }
    }

    /// One row for at least one event, all of one topic.
    static func entry(_ events: [Event], now: Int64) -> Journal.Entry {
        guard events.count > 1 else {
            return Journal.Entry(
                topic: events[0].topic, payload: events[0].value ?? [], attributes: attributes(of: events[0]),
                receivedAt: now)
        }
        var payload: [UInt8] = []
        payload.reserveCapacity(rowBytes + rowBytes / 8)
        for event in events {
            append(attributes(of: event), to: &payload)
            append(event.value ?? [], to: &payload)
        }
        return Journal.Entry(
            topic: events[0].topic, payload: payload, attributes: [several], receivedAt: now, span: events.count)
    }

    /// The events of a row, as many as its span. A row whose attributes nobody here wrote is one event with its topic and
    /// value.
    static func events(_ record: Journal.Record) -> [Event] {
        let plain = Event(topic: record.topic, value: record.payload)
        if record.attributes == [several] {
            return record.payload.withUnsafeBytes { events(in: $0, of: record) } ?? [plain]
        }
        return [record.attributes.withUnsafeBytes { event(plain, attributes: $0) }]
    }

    private static func events(in payload: UnsafeRawBufferPointer, of record: Journal.Record) -> [Event]? {
        var events: [Event] = []
        events.reserveCapacity(record.span)
        var bytes = Bytes(payload)
        for _ in 0..<record.span {
            guard let attributes = bytes.run(), let value = bytes.run() else { return nil }
            events.append(event(Event(topic: record.topic, value: Array(value)), attributes: attributes))
        }
        return bytes.isEmpty ? events : nil
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

    private static func attributes(of event: Event) -> [UInt8] {
        guard event.key != nil || event.value == nil || !event.headers.isEmpty else { return [] }
        var bytes = [single, (event.value == nil ? tombstone : 0) | (event.key == nil ? 0 : hasKey)]
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
