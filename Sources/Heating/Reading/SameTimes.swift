/// What tells readings of one topic with the same written time apart. Decided once, where order and arrival are known, and
/// kept with the row.
public struct TimeMarks: Hashable, Sendable {
    /// The local time came twice, and this is its second time: `fold` in PEP 495.
    public var isSecondPass: Bool
    /// So many nanoseconds later than its time the reading's point is, since others have the places before. 0 for nearly
    /// all.
    public var nth: Int

    /// A sensor whose clock stands still moves its readings by a millisecond at most; then the last one stands.
    public static let nthLimit = 999_999

    public init(isSecondPass: Bool = false, nth: Int = 0) {
        self.isSecondPass = isSecondPass
        self.nth = nth
    }
}

extension Timestamp {
    /// The place of a reading with these marks whose time this is.
    public func moved(by marks: TimeMarks) -> Timestamp {
        let (moved, overflow) = nanoseconds.addingReportingOverflow(Int64(marks.nth))
        return overflow ? self : Timestamp(nanoseconds: moved)
    }
}

/// Gives every reading a place of its own in time. Pure: times, bytes and arrival go in, marks come out.
///
/// - The hour that comes twice in autumn: the arrival says which pass it is, where it is within minutes of one; otherwise
///   the order does: the text jumps back by half of what the clocks were set back, or more.
/// - A second, different reading with the same time gets the next nanosecond. The same bytes again are the same reading
///   and get the same place, if the sensor wrote the time.
///
/// Knows the last ``limit`` readings of all topics together; what was before them is not seen again.
public struct SameTimes: Sendable {
    /// A reading as it came.
    public struct Arrival {
        public var topic: String
        /// As written; text without a zone read as UTC.
        public var written: Timestamp
        public var isNaive: Bool
        public var payload: [UInt8]
        public var at: Timestamp
        /// Nobody wrote a time, and it is ``at``: of several that arrive together each is a reading, also with equal values.
        public var isTimed: Bool

        public init(
            topic: String, written: Timestamp, isNaive: Bool, payload: [UInt8], at: Timestamp, isTimed: Bool = true
        ) {
            self.topic = topic
            self.written = written
            self.isNaive = isNaive
            self.payload = payload
            self.at = at
            self.isTimed = isTimed
        }
    }

    /// Where the topics are in an hour that comes twice. Put back what it was when the readings since could not be kept.
    public struct Passes: Sendable {
        struct Pass: Sendable {
            /// The last local time, nanoseconds.
            var last: Int64
            var isSecond: Bool
            /// How far the clocks were set back, nanoseconds.
            var delta: Int64
        }
        var topics: [ExactString: Pass] = [:]
    }

    private struct Slot {
        /// The last place that was given from this time on.
        var nth: Int32
        /// The number of the last reading that had to do with it.
        var touched: UInt64
    }

    private struct Entry {
        var reading: UInt64
        var base: UInt64
        var own: UInt64
    }

    public let limit: Int
    private static let topicLimit = 4096
    private let zone: TimeZoneRules
    public var passes = Passes()
    /// By topic and instant.
    private var slots: [UInt64: Slot] = [:]
    /// By topic, instant and bytes: which place the reading has.
    private var readings: [UInt64: Int32] = [:]
    private var ring: [Entry] = []
    private var count: UInt64 = 0

    /// - Parameter zone: what times without a zone are in.
    public init(zone: TimeZoneRules, limit: Int = 8192) {
        self.zone = zone
        self.limit = max(1, limit)
    }

    /// - Returns: the marks, and whether the reading was known, with these bytes and at this time.
    public mutating func marks(_ arrival: Arrival) -> (marks: TimeMarks, isKnown: Bool) {
        let (instant, isSecondPass) = place(arrival, decided: nil)
        let reading = Self.hash(arrival.topic, instant, arrival.payload)
        if arrival.isTimed, let nth = readings[reading] {
            return (TimeMarks(isSecondPass: isSecondPass, nth: Int(nth)), true)
        }
        let base = Self.hash(arrival.topic, instant)
        var nth = slots[base].map { Int($0.nth) + 1 } ?? 0
        while nth > 0, nth < TimeMarks.nthLimit, slots[Self.hash(arrival.topic, instant &+ Int64(nth))] != nil {
            nth += 1
        }
        nth = min(nth, TimeMarks.nthLimit)
        take(reading, base, Self.hash(arrival.topic, instant &+ Int64(nth)), nth)
        return (TimeMarks(isSecondPass: isSecondPass, nth: nth), false)
    }

    /// Takes a reading that was kept with its marks before, in order.
    public mutating func remember(_ arrival: Arrival, _ marks: TimeMarks) {
        let (instant, _) = place(arrival, decided: marks.isSecondPass)
        let reading = Self.hash(arrival.topic, instant, arrival.payload)
        guard !arrival.isTimed || readings[reading] == nil else { return }
        take(
            reading, Self.hash(arrival.topic, instant), Self.hash(arrival.topic, instant &+ Int64(marks.nth)), marks.nth
        )
    }

    // MARK: Places

    private mutating func take(_ reading: UInt64, _ base: UInt64, _ own: UInt64, _ nth: Int) {
        count += 1
        readings[reading] = Int32(clamping: nth)
        if base != own { slots[own] = Slot(nth: slots[own]?.nth ?? 0, touched: count) }
        slots[base] = Slot(nth: max(Int32(clamping: nth), slots[base]?.nth ?? 0), touched: count)
        let entry = Entry(reading: reading, base: base, own: own)
        guard ring.count == limit else {
            ring.append(entry)
            return
        }
        let oldest = Int((count - 1) % UInt64(limit))
        forget(ring[oldest], number: count - UInt64(limit))
        ring[oldest] = entry
    }

    private mutating func forget(_ entry: Entry, number: UInt64) {
        readings[entry.reading] = nil
        if slots[entry.base]?.touched == number { slots[entry.base] = nil }
        if slots[entry.own]?.touched == number { slots[entry.own] = nil }
    }

    private static func hash(_ topic: String, _ instant: Int64, _ payload: [UInt8]? = nil) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(ExactString(topic))
        hasher.combine(instant)
        payload?.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    // MARK: The hour that comes twice

    /// The instant in nanoseconds, and which pass it is.
    private mutating func place(_ arrival: Arrival, decided: Bool?) -> (instant: Int64, isSecondPass: Bool) {
        let local = arrival.written.nanoseconds
        guard arrival.isNaive else { return (local, false) }
        let meaning = zone.meaning(of: local.flooredDivision(by: 1_000_000_000).quotient)
        guard case .twice(let first, let second) = meaning else {
            leave(ExactString(arrival.topic), at: local)
            return (local &- Int64(meaning.offset(isSecondPass: false)) &* 1_000_000_000, false)
        }
        let topic = ExactString(arrival.topic)
        let delta = Int64(first - second) * 1_000_000_000
        let instants = [first, second].map { local &- Int64($0) &* 1_000_000_000 }
        let isSecond = decided ?? isSecondPass(topic, local, delta, instants, arrival.at.nanoseconds)
        if passes.topics[topic] != nil || passes.topics.count < Self.topicLimit {
            passes.topics[topic] = .init(last: local, isSecond: isSecond, delta: delta)
        }
        return (instants[isSecond ? 1 : 0], isSecond)
    }

    private func isSecondPass(
        _ topic: ExactString, _ local: Int64, _ delta: Int64, _ instants: [Int64], _ arrival: Int64
    ) -> Bool {
        let near = (delta / 12).magnitude
        for (pass, instant) in instants.enumerated() where (arrival &- instant).magnitude <= near {
            return pass == 1
        }
        guard let pass = passes.topics[topic], (local &- pass.last).magnitude <= pass.delta.magnitude
        else { return false }
        return pass.isSecond || pass.last &- local >= delta / 2
    }

    /// A reading from outside the hour: the hour is over when time went on, and forgotten when it went back.
    private mutating func leave(_ topic: ExactString, at local: Int64) {
        guard !passes.topics.isEmpty, let pass = passes.topics[topic] else { return }
        if local < pass.last || local > pass.last &+ 2 * pass.delta { passes.topics[topic] = nil }
    }
}
