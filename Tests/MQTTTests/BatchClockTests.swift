import Testing

@testable import MQTT

/// When batches end, by times alone: nothing waits here.
@Suite struct BatchClockTests {
    private static let millisecond: Int64 = 1_000_000
    private static let keepAlive: UInt16 = 30
    private var limits = BatchLimits(messages: 2500, age: 250 * Self.millisecond, pace: 100 * Self.millisecond)

    /// Reads a message at each time that no waiting batch's end comes before; returns when batches ended, in ms, and how
    /// often the thread had to wake up for it.
    private func run(_ times: [Int64]) -> (ends: [Int64], wakeUps: Int) {
        var clock = BatchClock()
        var ends: [Int64] = []
        var isWaiting = false
        var napEnd: Int64 = 0
        var wakeUps = 0
        func finish(by time: Int64) {
            let due = clock.due(limits, keepAlive: Self.keepAlive)
            guard isWaiting, due <= time else { return }
            wakeUps += 1
            clock.handingOver(at: due, limits)
            clock.handedOver(at: due)
            ends.append(due / Self.millisecond)
            isWaiting = false
        }
        for time in times.map({ $0 * Self.millisecond }) {
            finish(by: time)
            if time >= napEnd { wakeUps += 1 }
            clock.read(at: time, isFirst: !isWaiting, limits)
            isWaiting = true
            napEnd = clock.napEnd(limits, keepAlive: Self.keepAlive)
        }
        finish(by: .max)
        return (ends, wakeUps)
    }

    @Test func aQuietHomesReadingsShareABatchAndAWakeUp() {
        // Five rooms, a reading each second: 200 ms apart.
        let (ends, wakeUps) = run([1000, 1200, 1400, 1600, 1800, 2000])
        #expect(ends == [1250, 1650, 2050])
        #expect(wakeUps == 6, "one for the first message and one for the end of each batch")
    }

    @Test(arguments: [1, 20]) func aBrokerThatWaitsForItsAcknowledgementsIsNotKeptWaiting(_ window: Int) {
        // It delivers the next ones a millisecond after the acknowledgements of those before.
        var clock = BatchClock()
        var now: Int64 = 1000 * Self.millisecond
        var batches: [Int64] = []
        for _ in 0..<50 {
            let began = now
            for index in 0..<window { clock.read(at: now, isFirst: index == 0, limits) }
            now = max(now, clock.due(limits, keepAlive: Self.keepAlive))
            clock.handingOver(at: now, limits)
            clock.handedOver(at: now)
            batches.append((now - began) / Self.millisecond)
            now += Self.millisecond
        }
        #expect(batches[0] == 250)
        #expect(batches[1...].allSatisfy { $0 <= 10 }, "\(batches)")
    }

    @Test func aStreamIsWatchedAndWaitsForItsAge() {
        var clock = BatchClock()
        var now: Int64 = 1000 * Self.millisecond
        var first: Int64?
        // One each millisecond, and no window that fills: after the first batch the socket is never left alone.
        for index in 0..<2000 {
            let isFirst = first == nil
            if isFirst { first = now }
            clock.read(at: now, isFirst: isFirst, limits)
            if index > 300 { #expect(clock.napEnd(limits, keepAlive: Self.keepAlive) <= now) }
            now += Self.millisecond
            if now >= clock.due(limits, keepAlive: Self.keepAlive) {
                #expect(now - (first ?? now) == 250 * Self.millisecond)
                clock.handingOver(at: now, limits)
                clock.handedOver(at: now)
                first = nil
            }
        }
    }

    @Test func aNapIsShortHoweverOldABatchMayGetAndThereIsNoneWithoutAge() {
        var clock = BatchClock()
        var long = limits
        long.age = 20_000 * Self.millisecond
        clock.read(at: 5000 * Self.millisecond, isFirst: true, long)
        #expect(clock.napEnd(long, keepAlive: Self.keepAlive) == 5250 * Self.millisecond)
        let halfKeepAlive = 15_000 * Self.millisecond
        #expect(clock.due(long, keepAlive: Self.keepAlive) == 5000 * Self.millisecond + halfKeepAlive)
        long.age = 0
        #expect(clock.napEnd(long, keepAlive: Self.keepAlive) == 0)
    }
}
