import Foundation
import Heating
import Journal
import MQTT
import Testing

@testable import hearthd

@Suite("What travels with a record")
struct RecordAttributesTests {
    @Test("zone, fold and nth come back from the row as they went in, and UTC says nothing")
    func roundTrip() {
        #expect(RecordAttributes(zone: "UTC").bytes.isEmpty)
        #expect(RecordAttributes(bytes: []).marks == TimeMarks())
        for marks in [
            TimeMarks(), TimeMarks(isSecondPass: true), TimeMarks(nth: 3), TimeMarks(isSecondPass: true, nth: 9),
        ] {
            let back = RecordAttributes(bytes: RecordAttributes(zone: "Europe/Madrid", marks: marks).bytes)
            #expect(back.marks == marks && back.properties.first == UserProperty("zone", "Europe/Madrid"))
            #expect(back.properties == RecordAttributes(zone: "Europe/Madrid", marks: marks).properties)
        }
    }

    @Test("a redelivery is one whatever was decided about its time; another room's bytes are not")
    func redelivery() {
        func entry(_ topic: String, _ attributes: String = "") -> Journal.Record {
            .init(topic: topic, payload: [1, 2], attributes: Array(attributes.utf8), packetID: 7, receivedAt: 0)
        }
        func isRedelivery(_ kept: Journal.Record, _ again: Journal.Record) -> Bool {
            var filter = RedeliveryFilter(window: 10, committed: [])
            filter.committed([kept])
            filter.reconnected(sessionPresent: true)
            return filter.isRedelivery(again)
        }
        let marked = #"{"zone":"Europe/Madrid","fold":"1"}"#
        #expect(isRedelivery(entry("r/temperature", marked), entry("r/temperature")))
        #expect(!isRedelivery(entry("caf\u{E9}/temperature"), entry("cafe\u{301}/temperature")))
        #expect(!isRedelivery(entry("r/heatpump", #"{"reason":"a"}"#), entry("r/heatpump")))
    }

    @Test(
        "a zone that the cloud does not know is refused",
        arguments: [
            "localtime", "posixrules", "Europe", "posix/Europe/Madrid", "right/UTC", "zone.tab", "tzdata.zi",
            "leapseconds",
            "../zoneinfo/UTC", "Europe//Madrid", "", "+-1:00", "+15:00", "Middle/Earth", "EST5EDT4",
        ])
    func zones(_ zone: String) {
        #expect(SystemZones.rules(of: zone) == nil)
    }

    @Test("the others are taken", arguments: ["UTC", "+05:30", "-03:00", "Europe/Madrid", "Etc/GMT+5", "CET"])
    func knownZones(_ zone: String) {
        #expect(SystemZones.rules(of: zone) != nil)
    }

    @Test("a minute without a confirmation is told, and any confirmation ends it")
    func silence() {
        let second: Int64 = 1_000_000_000
        var silence = ConfirmationSilence()
        #expect(silence.verdict(isOpen: true, now: 0) == .quiet)
        silence.delivered(at: 5 * second)
        silence.delivered(at: 50 * second)
        #expect(silence.verdict(isOpen: true, now: 60 * second) == .waiting(until: 65 * second))
        #expect(silence.verdict(isOpen: true, now: 65 * second) == .overdue(since: 5 * second))
        silence.confirmed()
        #expect(silence.verdict(isOpen: true, now: 66 * second) == .quiet)
        silence.delivered(at: 70 * second)
        #expect(silence.verdict(isOpen: false, now: 200 * second) == .quiet)
        silence.delivered(at: 300 * second)
        #expect(silence.verdict(isOpen: true, now: 310 * second) == .waiting(until: 360 * second))
    }
}
