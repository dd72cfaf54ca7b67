/// Which readings of one room are news, a pure value: only news decides over the heating.
///
/// Readings repeat (a bridge sends a dead sensor's last one for ever), come late (a sensor that was away delivers what
/// it kept) and come from clocks that are wrong. What cannot be judged is news: nothing that a reading says about its
/// time keeps a room from being heated. Times are compared with each other only, never with this machine's clock.
public struct NewsFilter: Equatable, Sendable {
    public enum Verdict: Equatable, Sendable {
        /// It decides at once.
        case decides
        /// Its time leapt ahead: it decides at ``NewsFilter/nextDeadline``, unless more of a backlog follows.
        case waits
        case ignored(Ignored)
    }

    /// Why a reading decides nothing.
    public enum Ignored: String, Equatable, Sendable {
        /// Time and value are those of the last one: no sign of life.
        case repeated
        /// Its time lies before the newest known.
        case old
    }

    /// A time that moves by more than this within a second is a backlog being delivered.
    public static let leap = Duration.seconds(600)
    /// How long a leap waits for the rest of its backlog, counted from the newest leap.
    public static let quiet = Duration.seconds(1)
    /// The longest that a leap waits, however long its backlog is.
    public static let longestWait = Duration.seconds(10)
    /// So many older readings in a row show that the sensor's clock was set back.
    public static let setBackCount = 3
    /// They count when they are this far apart: a second, with some room for a sensor that sends each second.
    static let apart = Duration.milliseconds(900)

    /// The newest known that carried a time that can be believed.
    private var newest: Mark?
    private var waiting: Waiting?
    /// Readings older than the newest, in a row.
    private var older: Run?

    private struct Mark: Equatable, Sendable {
        var time: Timestamp
        var value: Double
    }

    private struct Waiting: Equatable, Sendable {
        var since: Instant
        var until: Instant
        /// From here on another leap is counted.
        var from: Timestamp
    }

    private struct Run: Equatable, Sendable {
        var last: Mark
        var counted: Timestamp
        var countedAt: Instant
        var count: Int
    }

    public init() {}

    /// When ``due(now:)`` has a value; nil when nothing waits.
    public var nextDeadline: Instant? { waiting?.until }

    /// Takes a reading that arrived now. Pass none whose value is known to be a fault.
    public mutating func take(_ reading: LiveReading, now: Instant) -> Verdict {
        guard let time = reading.timestamp, Self.isCredible(time) else {
            // Without a time it cannot be judged. What waits is older than this.
            waiting = nil
            return .decides
        }
        let mark = Mark(time: time, value: reading.value)
        guard let newest else { return accept(mark) }
        if mark.time == newest.time && mark.value == newest.value { return .ignored(.repeated) }
        if mark.time < newest.time { return takeOlder(mark, now: now) }
        older = nil
        if let waiting { return takeMore(mark, waiting, now: now) }
        guard mark.time.since(newest.time) > Self.leap else { return accept(mark) }
        self.newest = mark
        waiting = Waiting(since: now, until: now + Self.quiet, from: mark.time)
        return .waits
    }

    /// What has waited long enough; it decides now.
    public mutating func due(now: Instant) -> Double? {
        guard let waiting, waiting.until <= now else { return nil }
        self.waiting = nil
        return newest?.value
    }

    private mutating func accept(_ mark: Mark) -> Verdict {
        (newest, waiting, older) = (mark, nil, nil)
        return .decides
    }

    /// The next of a backlog, or the first ordinary reading behind it.
    private mutating func takeMore(_ mark: Mark, _ before: Waiting, now: Instant) -> Verdict {
        newest = mark
        guard mark.time.since(before.from) > Self.leap else { return .waits }
        let last = before.since + Self.longestWait
        waiting = Waiting(since: before.since, until: max(before.until, min(last, now + Self.quiet)), from: mark.time)
        return .waits
    }

    private mutating func takeOlder(_ mark: Mark, now: Instant) -> Verdict {
        guard let run = older, mark.time >= run.counted else {
            older = Run(last: mark, counted: mark.time, countedAt: now, count: 1)
            return .ignored(.old)
        }
        guard mark != run.last else { return .ignored(.repeated) }
        let passed = now - run.countedAt
        let seconds = max(1, passed.wholeNanoseconds / 1_000_000_000)
        if mark.time.since(run.counted) > Self.leap * Int(seconds) {
            // A backlog that is older than the newest.
            older = Run(last: mark, counted: mark.time, countedAt: now, count: 1)
            return .ignored(.old)
        }
        older?.last = mark
        guard passed >= Self.apart else { return .ignored(.old) }
        guard run.count + 1 < Self.setBackCount else { return accept(mark) }
        older = Run(last: mark, counted: mark.time, countedAt: now, count: run.count + 1)
        return .ignored(.old)
    }

    /// A clock that was never set, or whose battery is empty, stands in the 1970s or in the far future, and often stands
    /// still: nothing is concluded from it.
    static func isCredible(_ time: Timestamp) -> Bool { credible.contains(time.nanoseconds) }

    /// 2020-01-01 until 2100-01-01.
    private static let credible: Range<Int64> = 1_577_836_800_000_000_000..<4_102_444_800_000_000_000
}

extension Timestamp {
    /// How long ago it was; negative for what is still to come.
    public func age(at now: Timestamp) -> Duration { now.since(self) }

    fileprivate func since(_ other: Timestamp) -> Duration {
        .nanoseconds(nanoseconds.subtractingSaturated(other.nanoseconds))
    }
}
