import Heating
import Testing

@testable import hearth_cloud

@Suite("The accounts' rights at the cloud broker")
struct StoredRightsTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test(
        "a broker that refuses and closes: said once, tried again at a growing distance",
        arguments: [true, false])
    func refused(isTold: Bool) {
        for right in StoredRights.Right.allCases {
            var (rights, now, attempts, lessons) = (
                StoredRights(), start, [Duration](), [StoredRights.Lesson]()
            )
            // A link that is back every second.
            while now < start + .seconds(5 * 3600) {
                if rights.allows(right, now: now) {
                    attempts.append(now - start)
                    rights.asked(right)
                    let lesson = rights.answered(right, isGranted: !isTold, isTold: isTold, now: now)
                    lessons += [lesson, rights.closed(byPeer: true, now: now)].compactMap(\.self)
                }
                now = now + .seconds(1)
            }
            #expect(
                attempts == [0, 10, 70, 670, 4270, 7870, 11470, 15070].map { Duration.seconds($0) }, "\(right)")
            #expect(lessons == [.missing(right)])
            #expect(rights.nextLook(after: now) == start + .seconds(18670))

            rights.asked(right)
            #expect(rights.answered(right, isGranted: true, isTold: true, now: now) == .granted(right))
            #expect(rights.allows(right, now: now))
        }
    }

    @Test(
        "a network that breaks once says nothing about rights, and one home that is refused nothing about the others"
    )
    func others() {
        var rights = StoredRights()
        rights.asked(.write)
        #expect(rights.closed(byPeer: true, now: start) == nil)
        let later = start + .seconds(10)
        rights.asked(.write)
        #expect(rights.answered(.write, isGranted: true, isTold: true, now: later) == nil)
        #expect(rights.answered(.write, isGranted: false, isTold: true, now: later) == nil)
        #expect(rights.allows(.write, now: later))
        #expect(rights.closed(byPeer: false, now: later) == nil)
    }

    @Test("an answer that cannot refuse counts once the broker has not closed behind it")
    func untold() {
        var rights = StoredRights()
        rights.asked(.write)
        #expect(rights.answered(.write, isGranted: true, isTold: false, now: start) == nil)
        #expect(rights.isOpen(.write))
        #expect(rights.settle(now: start + .seconds(1)).isEmpty)
        #expect(!rights.isOpen(.write))
        #expect(rights.closed(byPeer: true, now: start + .seconds(2)) == nil)
        #expect(rights.allows(.write, now: start + .seconds(2)))
    }
}
