/// When the batch that is being read is handed over, and until when its socket need not be watched. Times are boot times in
/// nanoseconds, and nothing else goes in.
struct BatchClock {
    /// At most so long is a socket not watched: the broker may have become urgent meanwhile.
    static let longestNap: Int64 = 250_000_000

    /// When the first message of the waiting batch was read, and the last one.
    private var start: Int64 = 0
    private(set) var lastRead: Int64 = 0
    private var lastHandOver: Int64 = 0
    /// The batch's first message came after a pause, so that others are not to be expected at once.
    private var isSparse = false
    /// Nothing had come for a while when the last batch was handed over.
    private var wasQuiet = false
    /// The broker seems to wait for acknowledgements: it fell silent, and had the next message ready when they left. Many
    /// deliver 20 messages ahead of them, some 1, and what arrives faster than that would pile up there.
    private var isPressed = false

    /// Notes that messages were read. - Parameter isFirst: nothing had been waiting.
    mutating func read(at now: Int64, isFirst: Bool, _ limits: BatchLimits) {
        if isFirst {
            let pause = limits.pace / 10
            isSparse = pause > 0 && now - lastRead >= pause
            isPressed = wasQuiet && now - lastHandOver < pause
            start = now
        }
        lastRead = now
    }

    mutating func handingOver(at now: Int64, _ limits: BatchLimits) {
        wasQuiet = now - lastRead >= limits.pace / 10
    }

    mutating func handedOver(at now: Int64) { lastHandOver = now }

    /// When the waiting batch must be handed over.
    /// - Parameter keepAlive: pings wait behind the batch's acknowledgements, and the broker hangs up after 1.5 of it.
    func due(_ limits: BatchLimits, keepAlive: UInt16) -> Int64 {
        let paced = limits.pace > 0 ? min(lastHandOver + limits.pace, lastRead + limits.pace / 10) : start
        let aged = isPressed ? start : start + limits.age
        return min(max(aged, paced), start + Int64(keepAlive) * nanosecondsPerSecond / 2)
    }

    /// Until when the socket need not be watched while a batch waits: a wake-up for each message of a quiet home is saved.
    /// In the past for a stream, whose batch may be full at any moment.
    func napEnd(_ limits: BatchLimits, keepAlive: UInt16) -> Int64 {
        guard isSparse, !isPressed, limits.age > 0 else { return 0 }
        return min(due(limits, keepAlive: keepAlive), lastRead + Self.longestNap)
    }
}
