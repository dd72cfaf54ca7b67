/// The mean temperature of one home over windows of event time. Pure: readings and the time go in, windows come out.
///
/// A window's mean is the mean of its rooms' means, so that every room counts once however often its sensor speaks.
/// A `(room, timestamp)` counts once, the last value standing, exactly as the database keeps it; so duplicates change
/// nothing. The last few windows stay open for late readings and are given out again when one changes.
///
/// Each home has its own memory, so an outage of one home makes nobody else's readings late. A clock that jumps back
/// (a sensor that restarts) starts over: its windows are new ones, not late ones.
public struct HomeWindows: Sendable {
    public struct Settings: Equatable, Sendable {
        /// Length of a window; windows start at multiples of it since 1970.
        public var window: Duration
        /// How many windows stay open for late readings: the most recently changed.
        public var openWindows: Int
        /// A changed window is given out when no reading has changed it for this long.
        public var settleAfter: Duration
        /// Without sequences, a reading this far behind the newest means a clock that was set back.
        public var jump: Duration

        public init(
            window: Duration = .seconds(60), openWindows: Int = 8, settleAfter: Duration = .seconds(2),
            jump: Duration = .seconds(600)
        ) {
            self.window = window
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

    /// Where a window's readings stand in the log.
    public struct Extent: Equatable, Sendable {
        public var first: Int64
        public var last: Int64
    }

    /// Most rooms of one window, and most readings of one room in it.
    public static let roomLimit = 1000
    public static let readingLimit = 100_000

    private struct Window: Sendable {
        var rooms: [Room: [Int64: Double]] = [:]
        var extent: Extent
        var changedAt: Instant
        var isDirty = true
    }

    public let settings: Settings
    private let length: Int64
    private var windows: [Int64: Window] = [:]
    /// No window up to this start is known any more.
    private var closedThrough: Int64?
    /// Time of the newest reading.
    private var newest: Int64?
    private var epoch: String?
    private var lastSequence: Int64 = 0
    /// When a reading last changed something.
    public private(set) var lastChange: Instant

    public init(settings: Settings = Settings(), now: Instant) {
        self.settings = settings
        length = max(1, settings.window.wholeNanoseconds)
        lastChange = now
    }

    /// Takes a reading.
    ///
    /// - Parameters:
    ///   - offset: its place in the log.
    ///   - sequence, epoch: its gateway's count, where known: they tell a clock that jumped from a record sent again.
    public mutating func add(
        room: Room, at time: Timestamp, value: Double, offset: Int64, sequence: Int64? = nil, epoch: String? = nil,
        now: Instant
    ) -> Verdict {
        let start = windowStart(time.nanoseconds)
        let isNew = isInOrder(sequence, epoch)
        if windows[start] == nil, let closed = closedThrough, start <= closed {
            let isFarBehind = newest.map { time.nanoseconds < $0 - settings.jump.wholeNanoseconds } ?? false
            guard isNew ?? isFarBehind else { return .late }
            closedThrough = nil
        }
        newest = isNew == true ? time.nanoseconds : max(newest ?? .min, time.nanoseconds)
        var window = windows[start] ?? Window(extent: Extent(first: offset, last: offset), changedAt: now)
        window.extent = Extent(first: min(window.extent.first, offset), last: max(window.extent.last, offset))
        let known = window.rooms[room]
        if known?[time.nanoseconds] == value {
            windows[start] = window
            return .duplicate
        }
        guard known != nil || window.rooms.count < Self.roomLimit, known?.count ?? 0 < Self.readingLimit else {
            return .tooMany
        }
        window.rooms[room, default: [:]][time.nanoseconds] = value
        window.changedAt = now
        window.isDirty = true
        windows[start] = window
        lastChange = now
        return .counted
    }

    /// The windows that are worth writing now, in order of time. One that changes later is given out again.
    public mutating func takeSettled(now: Instant) -> [Mean] {
        let settled = windows.filter { $0.value.isDirty && now - $0.value.changedAt >= settings.settleAfter }
        for start in settled.keys { windows[start]?.isDirty = false }
        return settled.sorted { $0.key < $1.key }.map { Self.mean($0.value, at: $0.key) }
    }

    /// Closes the windows beyond the limit. Those not given out yet are returned, with all their places in the log.
    public mutating func close() -> (means: [Mean], extents: [Extent]) {
        var result: (means: [Mean], extents: [Extent]) = ([], [])
        while windows.count > max(1, settings.openWindows) {
            guard let oldest = windows.min(by: { ($0.value.changedAt, $0.key) < ($1.value.changedAt, $1.key) }) else {
                break
            }
            if oldest.value.isDirty { result.means.append(Self.mean(oldest.value, at: oldest.key)) }
            result.extents.append(oldest.value.extent)
            windows[oldest.key] = nil
            closedThrough = max(closedThrough ?? .min, oldest.key)
        }
        return result
    }

    /// The first place in the log that an open window still needs; nil with none.
    public var firstNeeded: Int64? { windows.values.map(\.extent.first).min() }

    public var hasUnwritten: Bool { windows.values.contains(where: \.isDirty) }

    // MARK: -

    /// true: the gateway has never sent this before; false: it has; nil: it does not say.
    private mutating func isInOrder(_ sequence: Int64?, _ epoch: String?) -> Bool? {
        guard let sequence, let epoch else { return nil }
        if epoch != self.epoch {
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
        let means = window.rooms.sorted { $0.key < $1.key }.map { _, readings in
            readings.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value } / Double(readings.count)
        }
        let values = window.rooms.values.flatMap(\.values)
        return Mean(
            time: Timestamp(nanoseconds: start), average: means.reduce(0, +) / Double(max(1, means.count)),
            minimum: values.min() ?? 0, maximum: values.max() ?? 0, rooms: means.count)
    }
}
