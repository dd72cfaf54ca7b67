import Heating
import Testing

@testable import hearthd

@Suite("Uplink: how other measures than the temperature travel")
struct MeasureRouteTests {
    private let humidity = RecordTopic("office/humidity")
    private let own = RecordTopic("office/snow_depth")

    @Test(
        "on topics of their own where they have a name that everybody knows, otherwise in frames; temperatures as ever"
    )
    func names() {
        let route = MeasureRoute()
        #expect(!route.needsFrame(humidity, now: start) && route.needsFrame(own, now: start))
        for topic in ["office/temperature", "office/heatpump", "no/such/topic"] {
            #expect(!route.needsFrame(RecordTopic(topic), now: start))
        }
    }

    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test(
        "one refusal, or nobody there who asks for it, and they go in frames; a temperature's says nothing about them"
    )
    func refused() {
        var route = MeasureRoute()
        route.sent(humidity, as: 4)
        route.sent(RecordTopic("office/temperature"), as: 5)
        route.answered(4, .taken, now: start)
        route.answered(5, .refused, now: start)
        #expect(!route.needsFrame(humidity, now: start))
        for answer in [MeasureRoute.Answer.refused, .nobody] {
            var route = route
            route.sent(humidity, as: 6)
            route.answered(6, answer, now: start)
            #expect(route.needsFrame(humidity, now: start))
            #expect(!route.needsFrame(RecordTopic("office/temperature"), now: start))
        }
    }

    @Test(
        "a refusal, nobody there, and an end before the answer are tried again, one record alone, at a growing distance"
    )
    func later() {
        for end in ["refused", "closed", "nobody"] {
            var route = MeasureRoute()
            var (now, trials, waits) = (start, 0, [Duration]())
            while now < start + .seconds(4 * 3600) {
                if route.needsFrame(humidity, now: now) {
                    now = now + .seconds(1)
                    continue
                }
                trials += 1
                waits.append(now - start)
                route.sent(humidity, as: Int32(trials))
                if trials > 1 {
                    #expect(route.needsFrame(humidity, now: now), "while one is unanswered the others wait")
                }
                switch end {
                case "refused": route.answered(Int32(trials), .refused, now: now)
                case "nobody": route.answered(Int32(trials), .nobody, now: now)
                default: route.disconnected(now: now)
                }
            }
            let expected = [0, 2, 12, 72, 672, 4272].map { Duration.seconds($0) }
            #expect(Array(waits.prefix(6)) == expected, "\(end)")
            route.sent(humidity, as: 100)
            route.answered(100, .taken, now: now)
            #expect(!route.needsFrame(humidity, now: now))
            route.sent(humidity, as: 101)
            #expect(!route.needsFrame(humidity, now: now), "what was granted counts for all that follow")
        }
    }

    @Test("a broker that refuses and closes then has said no once")
    func refusedAndClosed() {
        var route = MeasureRoute()
        for packet in Int32(1)...3 { route.sent(humidity, as: packet) }
        route.answered(1, .refused, now: start)
        route.answered(2, .refused, now: start)
        route.disconnected(now: start)
        #expect(route.needsFrame(humidity, now: start + .seconds(1)))
        #expect(!route.needsFrame(humidity, now: start + .seconds(2)))
    }
}
