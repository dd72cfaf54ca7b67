import Heating

/// One sensor's messages on their way to the heating, fast and slow, through bridges that repeat, from clocks that stand,
/// leap, run too fast and are set back; beside what must hold of what decides.
package struct NewsHistory {
    let seed: UInt64
    package var random: SeededGenerator
    private var filter = NewsFilter()
    private var now = Instant.zero
    private var value = 20.0
    private var decided: [(value: Double, at: Instant)] = []
    /// The sensor's clock, in nanoseconds of 2026.
    private var clock: Int64 = 1_795_428_000_000_000_000

    package init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
    }

    package mutating func run(_ episodes: Int) throws {
        for _ in 0..<episodes {
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<3: try ordinary()
            case 3: try repeated()
            case 4: try backlog()
            case 5: try older()
            case 6: try setBack()
            default: try brokenClock()
            }
        }
    }

    /// However fast they come and however fast the clock runs up to ten minutes a reading: each decides at once.
    private mutating func ordinary() throws {
        try settle()
        let pace = random.pick([0, 1, 10, 1000, 60_000])
        let step = random.pick([0, 1, 1000, 60_000, 599_000])
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            pass(.milliseconds(pace))
            move(milliseconds: step)
            try expect(.decides, "an ordinary reading")
        }
    }

    /// The same message again and again decides nothing, ever.
    private mutating func repeated() throws {
        try settle()
        let reading = LiveReading(value: value, timestamp: Timestamp(nanoseconds: clock))
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            pass(.milliseconds(random.pick([0, 500, 1000, 60_000])))
            try check(filter.take(reading, now: now) == .ignored(.repeated), seed, "a repetition is news")
        }
    }

    /// Of what was kept and is delivered at once the last decides, within ten seconds of the first.
    private mutating func backlog() throws {
        try settle()
        pass(.seconds(3600))
        let start = now
        let before = decided.count
        let length = Int.random(in: 2...50, using: &random)
        for index in 0..<length {
            if index > 0 { pass(.milliseconds(Int.random(in: 0...150, using: &random))) }
            move(milliseconds: Int.random(in: 600_001...7_200_000, using: &random))
            _ = filter.take(LiveReading(value: value, timestamp: Timestamp(nanoseconds: clock)), now: now)
        }
        pass(.seconds(11))
        let new = decided.dropFirst(before)
        try check(new.count == 1 && new.last?.value == value, seed, "\(new) of a backlog that ends with \(value)")
        try check(new.allSatisfy { $0.at - start <= .seconds(10) }, seed, "decided late: \(new)")
    }

    /// What a bridge kept from before, alone or faster than the seconds that a set-back clock takes.
    private mutating func older() throws {
        try settle()
        let newest = clock
        let start = clock - Int64.random(in: 600...86_400, using: &random) * 1_000_000_000
        for index in 0..<Int.random(in: 1...40, using: &random) {
            pass(.milliseconds(random.pick([0, 20, 20, 44])))
            let time = start + Int64(index) * 1_000_000
            let verdict = filter.take(LiveReading(value: 5, timestamp: Timestamp(nanoseconds: time)), now: now)
            try check(verdict != .decides && verdict != .waits, seed, "an older reading decides: \(verdict)")
        }
        clock = newest
        // The live one ends the row.
        move(milliseconds: 1000)
        try expect(.decides, "the live reading")
    }

    /// The black box starts anew: its third reading, at the latest, decides, and everything after it.
    private mutating func setBack() throws {
        try settle()
        clock -= Int64.random(in: 100...5_000_000, using: &random) * 1_000_000_000
        for index in 1...10 {
            pass(.milliseconds(Int.random(in: 950...1100, using: &random)))
            // Its clock runs sixty times as fast as ours.
            move(milliseconds: 60_000)
            let isOlder = index < 3
            let verdict = filter.take(LiveReading(value: value, timestamp: Timestamp(nanoseconds: clock)), now: now)
            if !isOlder { try check(verdict == .decides, seed, "reading \(index) of a clock set back: \(verdict)") }
        }
    }

    /// Times that cannot be: every reading decides, the same one too.
    private mutating func brokenClock() throws {
        try settle()
        let time: Timestamp? = random.pick([
            nil, Timestamp(nanoseconds: 0), Timestamp(nanoseconds: 5_000_000_000),
            Timestamp(nanoseconds: 946_684_800_000_000_000), Timestamp(nanoseconds: 6_153_667_200_000_000_000),
        ])
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            pass(.milliseconds(random.pick([0, 1000])))
            try check(
                filter.take(.init(value: 3, timestamp: time), now: now) == .decides, seed, "\(String(describing: time))"
            )
        }
    }

    // MARK: - Steps

    /// A reading that is certainly the newest, and time for what waits.
    private mutating func settle() throws {
        move(milliseconds: 100_000_000)
        _ = filter.take(LiveReading(value: value, timestamp: Timestamp(nanoseconds: clock)), now: now)
        pass(.seconds(11))
        try check(filter.nextDeadline == nil, seed, "something waits for ever")
    }

    private mutating func move(milliseconds: Int) {
        clock += Int64(milliseconds) * 1_000_000
        value += 0.001
    }

    private mutating func expect(_ verdict: NewsFilter.Verdict, _ what: String) throws {
        let found = filter.take(LiveReading(value: value, timestamp: Timestamp(nanoseconds: clock)), now: now)
        try check(found == verdict, seed, "\(what): \(found)")
    }

    /// As the lane does: what is due decides at its time.
    private mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let due = filter.nextDeadline, due <= end {
            now = max(now, due)
            if let value = filter.due(now: now) { decided.append((value, now)) }
        }
        now = end
    }
}
