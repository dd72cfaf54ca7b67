import Heating

/// How long to wait before a process that ended is started again: at once at first, longer each time while it does not
/// live for long.
struct RestartPause: Equatable {
    static let shortest = Duration.milliseconds(250)
    static let longest = Duration.seconds(10)
    /// One that lived for so long is well.
    static let healthy = Duration.seconds(30)

    private var last: Duration?

    /// Three in a row lived for moments only.
    var isLooping: Bool { last.map { $0 >= Self.shortest * 4 } ?? false }

    mutating func next(afterLife life: Duration) -> Duration {
        let next = life >= Self.healthy ? Self.shortest : min(Self.longest, last.map { $0 * 2 } ?? Self.shortest)
        last = next
        return next
    }
}
