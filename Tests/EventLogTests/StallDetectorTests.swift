import Testing

@testable import EventLog

@Suite struct StallDetectorTests {
    private let position = TopicPartition(topic: "raw", partition: 3)

    private func detector() -> StallDetector {
        var detector = StallDetector(patience: 10)
        detector.assigned([position], now: 0)
        return detector
    }

    @Test("a partition is looked at when it has been quiet for the patience, the quietest first")
    func due() {
        var detector = detector()
        let other = TopicPartition(topic: "raw", partition: 4)
        detector.assigned([other], now: 5)
        #expect(detector.due(now: 9) == nil)
        #expect(detector.due(now: 16)?.position == position)
        detector.read(position, next: 8, now: 16)
        #expect(detector.due(now: 17)?.position == other)
        detector.revoked([other])
        #expect(detector.due(now: 25) == nil)
        let found = detector.due(now: 26)
        #expect(found?.position == position && found?.next == 8)
    }

    @Test("a partition at its end is fine for ever")
    func atEnd() {
        var detector = detector()
        for now in stride(from: Int64(10), to: 200, by: 10) {
            #expect(detector.observed(position, next: 7, end: 7, now: now) == .fine)
        }
    }

    @Test("waiting events make it suspect, and stalled if nothing came for as long again")
    func stalled() {
        var detector = detector()
        #expect(detector.observed(position, next: 7, end: 9, now: 10) == .suspect)
        #expect(detector.due(now: 19) == nil)
        #expect(detector.observed(position, next: 7, end: 9, now: 20) == .stalled)
    }

    @Test("an event in between clears the suspicion")
    func progress() {
        var detector = detector()
        #expect(detector.observed(position, next: 7, end: 9, now: 10) == .suspect)
        detector.read(position, next: 8, now: 12)
        #expect(detector.observed(position, next: 8, end: 9, now: 22) == .suspect)
    }

    @Test("a leader that does not answer is an outage, not a stall")
    func outage() {
        var detector = detector()
        #expect(detector.observed(position, next: 7, end: 9, now: 10) == .suspect)
        detector.unanswered(position, now: 20)
        #expect(detector.due(now: 29) == nil)
        #expect(detector.due(now: 30) != nil)
    }

    @Test("a consumer is replaced once per place, since markers of transactions are never delivered")
    func once() {
        var detector = detector()
        _ = detector.observed(position, next: 7, end: 9, now: 10)
        #expect(detector.observed(position, next: 7, end: 9, now: 20) == .stalled)
        detector.revoked([position])
        detector.assigned([position], now: 30)
        #expect(detector.observed(position, next: 7, end: 9, now: 40) == .suspect)
        #expect(detector.observed(position, next: 7, end: 9, now: 50) == .hopeless)
        detector.read(position, next: 9, now: 60)
        _ = detector.observed(position, next: 9, end: 12, now: 70)
        #expect(detector.observed(position, next: 9, end: 12, now: 80) == .stalled)
    }
}

@Suite struct RebalanceTests {
    private let first = TopicPartition(topic: "raw", partition: 0)
    private let second = TopicPartition(topic: "raw", partition: 1)

    private func stored(_ position: TopicPartition, _ offset: Int64) -> Event {
        Event(topic: position.topic, value: [], partition: position.partition, offset: offset)
    }

    @Test("events of a partition that was taken away in the same read are dropped")
    func drops() {
        var batch = EventBatch(events: [stored(first, 4), stored(second, 9)])
        batch.apply(.revoked([first]))
        #expect(batch == EventBatch(revoked: [first], events: [stored(second, 9)]))
        #expect(batch.nextOffsets == [second: 10])
    }

    @Test("what came after a partition was given back in the same poll is its first event, and stays")
    func keepsTheFirstEventAfterAReturn() {
        var batch = EventBatch(events: [stored(first, 4), stored(second, 9)])
        batch.take(stored(first, 0), after: [.revoked([first]), .assigned([first])])
        #expect(
            batch == EventBatch(revoked: [first], assigned: [first], events: [stored(second, 9), stored(first, 0)]))
        #expect(batch.nextOffsets == [first: 1, second: 10])
    }

    @Test("taken away and given back means starting afresh")
    func returns() {
        var batch = EventBatch()
        batch.apply(.assigned([first]))
        batch.apply(.revoked([first]))
        batch.apply(.assigned([first, second]))
        #expect(batch == EventBatch(revoked: [first], assigned: [first, second]))
    }
}

@Suite struct ReaderProgressTests {
    private let first = TopicPartition(topic: "raw", partition: 0)
    private let second = TopicPartition(topic: "raw", partition: 1)

    private func stored(_ position: TopicPartition, _ offset: Int64) -> Event {
        Event(topic: position.topic, value: [], partition: position.partition, offset: offset)
    }

    @Test("unread counts from what was read, uncommitted from the commit, before the first one from the first event")
    func lag() {
        var progress = ReaderProgress()
        progress.assigned([first, second])
        #expect(progress.unread { _ in 100 } == 0 && progress.uncommitted { _ in 100 } == 0)
        progress.read(first, next: 43, in: [stored(first, 40), stored(first, 42)])
        #expect(progress.unread { _ in 100 } == 57 && progress.uncommitted { _ in 100 } == 60)
        progress.placed(second, at: 95)
        #expect(progress.unread { _ in 100 } == 62 && progress.uncommitted { _ in 100 } == 65)
        progress.committed([first: 41, second: 99])
        #expect(progress.uncommitted { _ in 100 } == 60)
        #expect(progress.unread { _ in nil } == 0)
        progress.revoked([first])
        #expect(progress.uncommitted { _ in 100 } == 1 && progress.unread { _ in 100 } == 5)
    }

    @Test("an event that is not the next one is a jump, within a batch too")
    func jumps() {
        var progress = ReaderProgress()
        progress.assigned([first, second])
        #expect(progress.jumps(in: [stored(first, 7)]) == [], "nothing is known of the partition yet")
        progress.placed(first, at: 7)
        #expect(progress.unplaced == [second])
        let events = [stored(first, 7), stored(first, 8), stored(second, 1), stored(first, 20), stored(second, 2)]
        #expect(progress.jumps(in: events) == [.init(position: first, expected: 9, found: 20, index: 3)])
        progress.read(first, next: 21, in: events)
        #expect(progress.jumps(in: [stored(first, 0)]) == [.init(position: first, expected: 21, found: 0, index: 0)])
    }

    @Test("of a log with gaps of its own in each batch the first is a jump, or each would be asked about")
    func gaps() {
        var progress = ReaderProgress()
        progress.assigned([first])
        progress.placed(first, at: 7)
        let events = [7, 9, 11, 13, 3, 5].map { stored(first, $0) }
        #expect(
            progress.jumps(in: events) == [
                .init(position: first, expected: 8, found: 9, index: 1),
                .init(position: first, expected: 14, found: 3, index: 4),
            ])
    }

    @Test("partitions with more events than were read take turns")
    func waiting() {
        var progress = ReaderProgress()
        progress.assigned([first, second])
        #expect(progress.waiting { _ in 100 } == nil)
        progress.read(first, next: 5, in: [stored(first, 4)])
        progress.read(second, next: 7, in: [stored(second, 6)])
        #expect(progress.waiting { _ in 5 } == nil)
        #expect(progress.waiting { _ in 6 } == first)
        #expect(progress.waiting { _ in 8 } == second)
        #expect(progress.waiting { _ in 8 } == first)
        #expect(progress.waiting { _ in 8 } == second)
    }
}
