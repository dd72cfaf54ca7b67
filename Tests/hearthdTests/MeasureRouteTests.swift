import Heating
import Testing

@testable import hearthd

@Suite("Uplink: how other measures than the temperature travel")
struct MeasureRouteTests {
    private let humidity = RecordTopic("office/humidity")
    private let own = RecordTopic("office/snow_depth")

    @Test(
        "on topics of their own where they have a name that everybody knows, otherwise in frames; temperatures as ever")
    func names() {
        let route = MeasureRoute()
        #expect(!route.needsFrame(humidity) && route.needsFrame(own))
        for topic in ["office/temperature", "office/heatpump", "no/such/topic"] {
            #expect(!route.needsFrame(RecordTopic(topic)))
        }
    }

    @Test("one refusal, or nobody there who asks for it, and they go in frames for as long as this connection lasts")
    func refused() {
        var route = MeasureRoute()
        route.sent(humidity, as: 4)
        route.sent(RecordTopic("office/temperature"), as: 5)
        route.answered(4, isTaken: true)
        route.answered(5, isTaken: false)
        #expect(!route.needsFrame(humidity), "a temperature's refusal says nothing about measures")
        route.sent(humidity, as: 6)
        route.answered(6, isTaken: false)
        #expect(route.needsFrame(humidity) && !route.needsFrame(RecordTopic("office/temperature")))
    }

    @Test(
        "a refusal, and a connection that ended before the answer, count for later connections; a missing ingestor does not"
    )
    func later() {
        let humidity = RecordTopic("office/humidity")
        for end in ["refused", "closed", "nobody"] {
            var route = MeasureRoute()
            route.connected()
            route.sent(humidity, as: 7)
            if end != "closed" { route.answered(7, isTaken: false, isRefused: end == "refused") }
            route.connected()
            #expect(route.needsFrame(humidity) == (end != "nobody"), "\(end)")
            #expect(!route.needsFrame(RecordTopic("office/temperature")))
        }
    }
}
