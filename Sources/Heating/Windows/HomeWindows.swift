/// The mean temperature of one home over windows of event time. Pure: readings and the time go in, windows come out.
///
/// A window's mean is the mean of its rooms' means, so that every room counts once however often its sensor speaks.
/// A `(room, timestamp)` counts once, the last value standing, exactly as the database keeps it; so duplicates change
/// nothing. A window stays open for late readings until a number of further readings of its home have come, and is
/// given out again when one changes it. Counting readings instead of time makes the tolerance the same for sensors
/// whose clock runs sixty times too fast, and makes closing a matter of the log alone: whoever reads the same readings
/// again, from anywhere before a window's last one, closes it at the same reading.
///
/// Each home has its own memory, so an outage of one home makes nobody else's readings late. A clock that jumps back
/// (a sensor that restarts) starts over: its windows are new ones, not late ones.
public struct HomeWindows: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Length of a window; windows start at multiples of it since 1970.
        public var window: Duration
        /// A window closes when so many readings of its home have come since its last one: about a quarter of an hour
        /// with five rooms and a reading per second, and a bound on the memory.
        public var openReadings: Int64
        /// So many windows stay open in any case: the last that had a reading.
        public var openWindows: Int
        /// A changed window is given out when no reading has changed it for this long.
        public var settleAfter: Duration
        /// Without sequences, a reading this far behind the newest means a clock that was set back.
        public var jump: Duration

        public init(
            window: Duration = .seconds(60), openReadings: Int64 = 4000, openWindows: Int = 8,
            settleAfter: Duration = .seconds(2), jump: Duration = .seconds(600)
        ) {
            self.window = window
            self.openReadings = openReadings
            self.openWindows = openWindows
            self.settleAfter = settleAfter
            self.jump = jump
        }
    }

    /// One window's result, temperatures in °C.
    public struct Mean: Equatable, Sendable {
        /// Start of the window.
        public var time: Timestamp
        /// The mean of the rooms' means.
        public var average: Double
        /// The lowest and the highest single reading.
        public var minimum: Double
        public var maximum: Double
        public var rooms: Int
    }

    /// What became of a reading.
    public enum Verdict: Equatable, Sendable {
        case counted
        /// Counted before, with the same value.
        case duplicate
        /// Its window is no longer known; counting it would replace a full mean by a partial one.
        case late
        /// This home has more rooms, or a window more readings, than any house.
        case tooMany
    }

    /// Places in the log, both included.
    public struct Extent: Equatable, Sendable {
        public var first: Int64
        public var last: Int64
    }

    /// Most rooms of one window, and most readings of one room in it.
    public static let roomLimit = 1000
    public static let readingLimit = 100_000

    private struct Window: Sendable {
        var rooms = RoomTable()
        /// Places in the log of its readings.
        var extent: Extent
        /// The number of its last reading among the home's.
        var touched: Int64
        var changedAt: Instant

        mutating func add(
            room: Room, at time: Int64, value: Double, offset: Int64, count: Int64, now: Instant
        ) -> Verdict {
            extent.last = max(extent.last, offset)
            touched = count
            guard let index = rooms.index(of: room) else { return .tooMany }
            let verdict = rooms.readings[index].add(value, at: time)
            if verdict == .counted { changedAt = now }
            return verdict
        }
    }

    public let settings: Settings
    private let length: Int64
    private var windows: [Int64: Window] = [:]
    private var touches = TouchQueue()
    /// Windows that changed since they were given out.
    private var dirty: Set<Int64> = []
    /// One of them, to which most readings are added.
    private var lastDirty: Int64?
    /// Closed with changes that were not given out.
    private var closed: [Mean] = []
    private var count: Int64 = 0
    /// No window up to this start is known any more, and where the last reading stands of the one that says so.
    private var closedThrough: (start: Int64, last: Int64)?
    /// What ``firstNeeded()`` said, while it still holds.
    private var first: Int64?
    /// Time of the newest reading.
    private var newest: Int64?
    private var epoch: String?
    private var lastSequence: Int64 = 0
    /// When a reading last changed something.
    public private(set) var lastChange: Instant
    /// The last late reading, with what made it late: reading the log from within this would make it look new.
    public private(set) var lateness: Extent?

    public init(settings: Settings = Settings(), now: Instant) {
        self.settings = settings
        length = max(1, settings.window.wholeNanoseconds)
        lastChange = now
    }

    /// Takes a reading.
    ///
    /// - Parameters:
    ///   - offset: its place in the log; ascending.
    ///   - sequence, epoch: its gateway's count, where known: they tell a clock that jumped from a record sent again.
    public mutating func add(
        room: Room, at time: Timestamp, value: Double, offset: Int64, sequence: Int64? = nil, epoch: String? = nil,
        now: Instant
    ) -> Verdict {
        let start = windowStart(time.nanoseconds)
        let isNew = isInOrder(sequence, epoch)
        count += 1
        closeOld()
        if let closed = closedThrough, start <= closed.start, windows[start] == nil {
            let newest = newest ?? 0
            // A new reading that is not behind the newest, with no window ahead of both, shows no clock that was set
            // back: its window closed early, by readings that were sent again.
            let isSetBack = time.nanoseconds < newest || closed.start > windowStart(newest)
            let isFarBehind = time.nanoseconds < newest - settings.jump.wholeNanoseconds
            guard isNew.map({ $0 && isSetBack }) ?? isFarBehind else {
                lateness = Extent(first: closed.last, last: offset)
                return .late
            }
            closedThrough = nil
        }
        newest = isNew == true ? time.nanoseconds : max(newest ?? .min, time.nanoseconds)
        touches.append(start, at: count)
        if let known = first { first = min(known, offset) }
        let extent = Extent(first: offset, last: offset)
        let verdict = windows[start, default: Window(extent: extent, touched: 0, changedAt: now)].add(
            room: room, at: time.nanoseconds, value: value, offset: offset, count: count, now: now)
        if verdict == .counted {
            if start != lastDirty { dirty.insert(start) }
            lastDirty = start
            lastChange = now
        }
        return verdict
    }

    /// The open windows that are worth writing now, in order of time. One that changes later is given out again.
    public mutating func takeSettled(now: Instant) -> [Mean] {
        let settled = dirty.filter { start in
            windows[start].map { now - $0.changedAt >= settings.settleAfter } ?? false
        }
        dirty.subtract(settled)
        lastDirty = nil
        return settled.sorted().compactMap { start in windows[start].map { Self.mean($0, at: start) } }
    }

    /// The windows that the last readings have closed and that changed since they were given out.
    public mutating func takeClosed() -> [Mean] {
        guard !closed.isEmpty else { return [] }
        defer { closed = [] }
        return closed
    }

    /// The first place in the log that is needed to go on from there: that of the open windows, and of the last
    /// reading of the closed one that makes others late. Nil when there is nothing.
    public mutating func firstNeeded() -> Int64? {
        if first == nil { first = windows.values.lazy.map(\.extent.first).min() }
        guard let first, let closed = closedThrough else { return first }
        return min(first, closed.last)
    }

    /// When the first of the windows that are worth writing will have settled, unless another reading changes it.
    public var nextSettled: Instant? {
        dirty.lazy.compactMap { windows[$0]?.changedAt }.min().map { $0 + settings.settleAfter }
    }

    // MARK: -

    /// Closes the windows whose last reading is too many readings ago.
    private mutating func closeOld() {
        if touches.count > 2 * windows.count + 64 { touches.keep { windows[$0]?.touched == $1 } }
        while windows.count > max(1, settings.openWindows), let oldest = touches.first {
            guard let window = windows[oldest.start], window.touched == oldest.at else {
                touches.removeFirst()
                continue
            }
            guard count - oldest.at > settings.openReadings else { return }
            touches.removeFirst()
            windows[oldest.start] = nil
            if window.extent.first == first { first = nil }
            if lastDirty == oldest.start { lastDirty = nil }
            if dirty.remove(oldest.start) != nil { closed.append(Self.mean(window, at: oldest.start)) }
            if closedThrough.map({ $0.start < oldest.start }) ?? true {
                closedThrough = (oldest.start, window.extent.last)
            }
        }
    }

    /// true: the gateway has never sent this before; false: it has; nil: it does not say.
    private mutating func isInOrder(_ sequence: Int64?, _ epoch: String?) -> Bool? {
        guard let sequence, let epoch else { return nil }
        if self.epoch?.utf8.elementsEqual(epoch.utf8) != true {
            self.epoch = epoch
            lastSequence = sequence
            return true
        }
        guard sequence > lastSequence else { return false }
        lastSequence = sequence
        return true
    }

    /// Floor, also before 1970.
    private func windowStart(_ time: Int64) -> Int64 {
        let rest = time % length
        return time - (rest < 0 ? rest + length : rest)
    }

    /// In a fixed order, so that the same readings always give the same bits.
    private static func mean(_ window: Window, at start: Int64) -> Mean {
        let rooms = window.rooms.inOrder.map(\.values)
        let means = rooms.map { $0.reduce(0, +) / Double($0.count) }
        return Mean(
            time: Timestamp(nanoseconds: start), average: means.reduce(0, +) / Double(max(1, means.count)),
            minimum: rooms.lazy.joined().min() ?? 0, maximum: rooms.lazy.joined().max() ?? 0, rooms: means.count)
    }
}

/// Windows in the order of their last readings; entries that a later one has overtaken stay until they come first.
private struct TouchQueue: Sendable {
    private var entries: [(start: Int64, at: Int64)] = []
    private var head = 0

    var count: Int { entries.count }
    var first: (start: Int64, at: Int64)? { head < entries.count ? entries[head] : nil }

    mutating func append(_ start: Int64, at count: Int64) {
        if head < entries.count, entries[entries.count - 1].start == start {
            entries[entries.count - 1].at = count
        } else {
            entries.append((start, count))
        }
    }

    mutating func keep(_ isWanted: (Int64, Int64) -> Bool) {
        entries = entries[head...].filter { isWanted($0.start, $0.at) }
        head = 0
    }

    mutating func removeFirst() {
        head += 1
        guard head > 64, head * 2 > entries.count else { return }
        entries.removeFirst(head)
        head = 0
    }
}
