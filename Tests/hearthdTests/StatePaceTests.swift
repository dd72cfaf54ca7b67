import Heating
import Testing

@testable import hearthd

@Suite struct StatePaceTests {
    private let office = Room("office")!
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func `the first reading is told at once, the last of several in the end`() {
        var pace = StatePace(period: .seconds(10))
        #expect(pace.isToBeTold(office, now: start) && pace.next == nil)
        let (second, third) = (
            pace.isToBeTold(office, now: start + .seconds(1)), pace.isToBeTold(office, now: start + .seconds(2))
        )
        #expect(!second && !third)
        #expect(pace.next == start + .seconds(10) && pace.takeDue(now: start + .seconds(9)).isEmpty)
        #expect(pace.takeDue(now: start + .seconds(10)) == [office])
        #expect(pace.next == nil && pace.takeDue(now: start + .seconds(60)).isEmpty)
    }

    @Test func `a listener that is new is told at once what is owed, and a room that went is not`() {
        var pace = StatePace(period: .seconds(10))
        let bath = Room("bath")!
        for room in [office, bath] {
            _ = pace.isToBeTold(room, now: start)
            _ = pace.isToBeTold(room, now: start + .seconds(1))
        }
        pace.forget(bath)
        pace.beginAgain()
        #expect(pace.takeDue(now: start + .seconds(2)) == [office])
    }
}
