import Heating

/// Commands to one pump that are not ours, and how often ours is repeated against them. A pure value.
///
/// The repetition comes at once, but not endlessly: two controllers that both insist would wear the pump out.
struct ForeignCommands: Equatable, Sendable {
    static let shortestPause = Duration.seconds(1)
    static let repeatsPerMinute = 10
    /// How long somebody who commanded the pump once is still worth a word.
    static let memory = Duration.seconds(600)

    private(set) var last: Command?
    private(set) var count = 0
    private var repeatedAt: [Instant] = []
    private var repeatAt: Instant?

    struct Command: Equatable, Sendable {
        var isOn: Bool
        var time: Instant
    }

    /// When ``isRepeatDue(now:)`` is worth asking.
    var nextDeadline: Instant? { repeatAt }

    /// Somebody else told the pump this, while ours was `commanded`.
    mutating func hear(_ isOn: Bool, against commanded: Bool?, now: Instant) {
        last = Command(isOn: isOn, time: now)
        count += 1
        guard let commanded, commanded != isOn else { return }
        repeatedAt.removeAll { now - $0 > .seconds(60) }
        var earliest = now
        if let latest = repeatedAt.last { earliest = max(earliest, latest + Self.shortestPause) }
        if repeatedAt.count >= Self.repeatsPerMinute { earliest = max(earliest, repeatedAt[0] + .seconds(60)) }
        repeatAt = min(repeatAt ?? earliest, earliest)
    }

    /// Whether our command is to be repeated now; counts it.
    mutating func isRepeatDue(now: Instant) -> Bool {
        guard let due = repeatAt, due <= now else { return false }
        repeatAt = nil
        repeatedAt = repeatedAt.suffix(Self.repeatsPerMinute - 1) + [now]
        return true
    }

    /// The last command that is not too long ago.
    func recent(now: Instant) -> Command? {
        last.flatMap { now - $0.time < Self.memory ? $0 : nil }
    }
}

/// Our own commands as the broker gives them back: MQTT 3.1.1 has no way to ask it not to, and some brokers of v5 do it
/// all the same.
struct OwnCommands {
    private static let kept = 50
    private static let longestWay = Duration.seconds(10)

    private struct Sent {
        var room: Room
        var isOn: Bool
        var stamp: String
        var time: Instant
    }
    private var sent: [Sent] = []

    /// - Parameter stamp: the user property that goes with it.
    mutating func send(_ isOn: Bool, to room: Room, stamp: String, now: Instant) {
        sent.removeAll { now - $0.time > Self.longestWay }
        if sent.count >= Self.kept { sent.removeFirst() }
        sent.append(Sent(room: room, isOn: isOn, stamp: stamp, time: now))
    }

    /// Whether a command that came is one of ours; each comes back once.
    /// - Parameter stamp: its user property; nil without properties, as with MQTT 3.1.1.
    mutating func isOwn(_ isOn: Bool, in room: Room, stamp: String?, hasProperties: Bool) -> Bool {
        let index = sent.firstIndex {
            $0.room == room && $0.isOn == isOn && (!hasProperties || $0.stamp == stamp)
        }
        guard let index else { return false }
        sent.remove(at: index)
        return true
    }

    /// The connection is new: nothing of the old one comes back.
    mutating func reset() { sent = [] }
}
