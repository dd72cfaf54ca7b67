/// A reading as the event log keeps it (`raw_sensor_data`, `clean-data`), read on the pipelines' hot path: one pass
/// over the bytes, no JSON values in between.
public struct LoggedReading: Equatable, Sendable {
    public var home: HomeID
    public var room: Room
    public var time: Time
    /// nil when no double holds the number.
    public var value: Double?
    /// The gateway's count, where known.
    public var sequence: Int64?
    public var epoch: String?
    public var measure = Measure.temperature
    /// What the device wrote, where `value` was made of it.
    public var asRead: AsRead?
    /// Its gateway knows that this value means a fault of the sensor.
    public var isFault = false

    /// When the sensor took it.
    public enum Time: Equatable, Sendable {
        case utc(Timestamp)
        /// In a zone that the gateway named; the caller has the zone database.
        case zoned(text: String, zone: String, marks: TimeMarks)
        case unreadable
    }
}

extension LoggedReading {
    /// Reads events one after the other and remembers homes, rooms and epochs, because they come again. A value for one
    /// thread.
    public struct Reader: Sendable {
        private var epoch = ""
        private var places = PlaceTable()
        private var times = TimestampReader()
        /// Of the reading that ``read(_:)`` gave last, if it looks as ingest writes one of no zone: where its room is
        /// remembered, and where in the event the value's text is, a number without an exponent.
        public private(set) var known: (place: KnownPlace, text: Range<Int>)?

        public init() {}

        /// nil when the bytes are no such event: other producers may write to the topic.
        ///
        /// Strict like ``JSON``: all of it must be JSON, and no known key may appear twice. A value in quotes must hold
        /// a JSON number, so `"0x1F"` and `"nan"` are refused.
        public mutating func read(_ event: ArraySlice<UInt8>) -> LoggedReading? {
            known = nil
            return event.withUnsafeBufferPointer { bytes in
                if let written = WrittenReading(bytes), let reading = reading(written, bytes) { return reading }
                return Members(bytes.span).flatMap { reading($0, bytes.span) }
            }
        }

        private mutating func reading(
            _ written: WrittenReading, _ bytes: UnsafeBufferPointer<UInt8>
        ) -> LoggedReading? {
            guard let timestamp = times.timestamp(bytes, in: written.timestamp.range),
                let slot = slot(written, bytes), let home = places.home(slot), let room = places.room(slot)
            else { return nil }
            known = (places[slot], written.value.range)
            return LoggedReading(
                home: home, room: room, time: .utc(timestamp), value: written.number.double, sequence: written.sequence,
                epoch: written.epoch.map { places.epoch(UnsafeBufferPointer(rebasing: bytes[$0.range]), at: slot) })
        }

        /// nil when the names are not allowed.
        private mutating func slot(_ written: WrittenReading, _ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
            let names = PlaceTable.Names(
                home: UnsafeBufferPointer(rebasing: bytes[written.home.range]),
                room: UnsafeBufferPointer(rebasing: bytes[written.room.range]))
            if let known = places.find(names) { return known }
            guard let home = HomeID(bytes.span.text(written.home.range)),
                let room = Room(bytes.span.text(written.room.range))
            else { return nil }
            return places.insert(names, home, room)
        }

        private mutating func reading(_ members: Members, _ bytes: Span<UInt8>) -> LoggedReading? {
            guard let home = members.home.flatMap({ HomeID(JSONScanner.text(of: $0, bytes)) }),
                let room = members.room.flatMap({ Room(JSONScanner.text(of: $0, bytes)) }),
                let timestamp = members.timestamp, let value = members.value,
                let measure = members.measure.map({ Measure(JSONScanner.text(of: $0, bytes)) }) ?? .temperature
            else { return nil }
            return LoggedReading(
                home: home, room: room, time: Self.time(timestamp, members, bytes), value: bytes.double(value),
                sequence: members.sequence.flatMap { Int64(bytes.text($0)) },
                epoch: members.epoch.map { epoch($0, bytes) }, measure: measure,
                asRead: members.asRead.flatMap { AsRead(JSONScanner.text(of: $0, bytes)) },
                isFault: members.fault.map { bytes.part($0, equals: "1") } ?? false)
        }

        private static func time(
            _ timestamp: JSONScanner.StringToken, _ members: Members, _ bytes: Span<UInt8>
        ) -> Time {
            let nth = members.nth.flatMap { Int(bytes.text($0)) } ?? 0
            let marks = TimeMarks(
                isSecondPass: members.fold.map { bytes.part($0, equals: "1") } ?? false,
                nth: (0...TimeMarks.nthLimit).contains(nth) ? nth : 0)
            if let zone = members.zone, !bytes.part(zone.range, equals: "UTC") {
                let text = JSONScanner.text(of: timestamp, bytes)
                return .zoned(text: text, zone: JSONScanner.text(of: zone, bytes), marks: marks)
            }
            guard !timestamp.hasEscapes,
                let parsed = Timestamp.parse(iso8601: bytes, in: timestamp.range, naiveOffsetSeconds: 0)
            else { return .unreadable }
            return .utc(parsed.timestamp.moved(by: marks))
        }

        private mutating func epoch(_ token: JSONScanner.StringToken, _ bytes: Span<UInt8>) -> String {
            if token.hasEscapes || !bytes.part(token.range, equals: epoch) {
                epoch = JSONScanner.text(of: token, bytes)
            }
            return epoch
        }
    }
}

/// Where the members of an event are that matter.
private struct Members {
    var home: JSONScanner.StringToken?
    var room: JSONScanner.StringToken?
    var timestamp: JSONScanner.StringToken?
    var zone: JSONScanner.StringToken?
    var epoch: JSONScanner.StringToken?
    var value: Range<Int>?
    var sequence: Range<Int>?
    var fold: Range<Int>?
    var nth: Range<Int>?
    var measure: JSONScanner.StringToken?
    var asRead: JSONScanner.StringToken?
    var fault: Range<Int>?

    /// nil unless it is one JSON object in which the known members have their kinds and appear once.
    init?(_ bytes: Span<UInt8>) {
        guard (try? UTF8Span(validating: bytes)) != nil else { return nil }
        var scanner = JSONScanner()
        do throws(JSONScanner.Failure) {
            scanner.skipWhitespace(bytes)
            try scanner.expect(bytes, "{")
            scanner.skipWhitespace(bytes)
            if !scanner.take(bytes, "}") {
                repeat { try member(&scanner, bytes) } while scanner.take(bytes, ",")
                try scanner.expect(bytes, "}")
            }
            scanner.skipWhitespace(bytes)
        } catch { return nil }
        guard scanner.index == bytes.count else { return nil }
    }

    private mutating func member(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(JSONScanner.Failure) {
        scanner.skipWhitespace(bytes)
        let key = try scanner.string(bytes)
        // No writer escapes the letters of these names, and a reader must not take one key for two.
        let isKnown = key.hasEscapes && Self.names.contains(JSONScanner.text(of: key, bytes))
        guard !isKnown else { throw .unexpected }
        scanner.skipWhitespace(bytes)
        try scanner.expect(bytes, ":")
        scanner.skipWhitespace(bytes)
        // By length first: comparing with all the names would be most of the work.
        switch key.range.count {
        case _ where key.hasEscapes: try scanner.skipValue(bytes, depth: 1)
        case 3 where bytes.part(key.range, equals: "seq"): try take(&sequence, try Self.digits(&scanner, bytes))
        case 3 where bytes.part(key.range, equals: "nth"): try take(&nth, try Self.digits(&scanner, bytes))
        case 4 where bytes.part(key.range, equals: "fold"): try take(&fold, try Self.digits(&scanner, bytes))
        case 4 where bytes.part(key.range, equals: "home"): try take(&home, try scanner.string(bytes))
        // Who writes something else under this name says nothing about a unit.
        case 4 where bytes.part(key.range, equals: "read") && scanner.peek(bytes) == UInt8(ascii: "\""):
            try take(&asRead, try scanner.string(bytes))
        case 4 where bytes.part(key.range, equals: "room"): try take(&room, try scanner.string(bytes))
        case 4 where bytes.part(key.range, equals: "zone"): try take(&zone, try scanner.string(bytes))
        case 5 where bytes.part(key.range, equals: "epoch"): try take(&epoch, try scanner.string(bytes))
        case 5 where bytes.part(key.range, equals: "fault"): try take(&fault, try Self.digits(&scanner, bytes))
        case 7 where bytes.part(key.range, equals: "measure"): try take(&measure, try scanner.string(bytes))
        case 5 where bytes.part(key.range, equals: "value"): try take(&value, try Self.number(&scanner, bytes))
        case 9 where bytes.part(key.range, equals: "timestamp"): try take(&timestamp, try scanner.string(bytes))
        default: try scanner.skipValue(bytes, depth: 1)
        }
        scanner.skipWhitespace(bytes)
    }

    private static let names: Set = [
        "seq", "nth", "home", "room", "zone", "fold", "read", "fault", "epoch", "value", "measure", "timestamp",
    ]

    private func take<Token>(_ place: inout Token?, _ token: Token) throws(JSONScanner.Failure) {
        guard place == nil else { throw .unexpected }
        place = token
    }

    /// A number; empty for anything else, which is no count of ours.
    private static func digits(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(JSONScanner.Failure) -> Range<Int> {
        let start = scanner.index
        guard let first = scanner.peek(bytes), first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") <= 9 else {
            try scanner.skipValue(bytes, depth: 1)
            return start..<start
        }
        return try scanner.number(bytes)
    }

    /// A number, or a string that holds nothing else.
    private static func number(
        _ scanner: inout JSONScanner, _ bytes: Span<UInt8>
    ) throws(JSONScanner.Failure) -> Range<Int> {
        guard scanner.peek(bytes) == UInt8(ascii: "\"") else { return try scanner.number(bytes) }
        let token = try scanner.string(bytes)
        var inner = JSONScanner(index: token.range.lowerBound)
        let range = try inner.number(bytes)
        guard range == token.range else { throw .unexpected }
        return range
    }
}
