import Heating
import Prometheus
import Testing

@testable import HomePage

@Suite struct GatewayMetricsTests {
    private func text(_ json: String) throws -> String {
        PrometheusText.encode(gatewaySamples(.status(try JSON.parse(json), at: .now), now: .now))
    }

    @Test func `rooms, links and the buffer have their numbers`() throws {
        let text = try text(
            """
            {"version":"0.1.0","home":"home1","uptimeSeconds":5,
             "rooms":[{"room":"office","temperature":19.5,"readingAgeSeconds":0.4,"stale":false,"pump":"on",
              "onBelow":20,"offAbove":25,"override":{"pump":"on","source":"page","secondsLeft":9}},
              {"room":"attic","temperature":null,"stale":true,"pump":"unknown"}],
             "links":[{"name":"uplink","state":"waiting"}],"uplink":{"backlog":41233,"confirmedThrough":7},
             "journal":{"dropped":3,"lastCommitMilliseconds":1.5},"counters":{"readings":9,"rejected":{"not_json":2}},
             "recording":{"pid":7,"restarts":2,"seconds":5,"silentSeconds":0.4,"lastEnd":"was killed"},
             "alarms":[{"name":"room-blind"},{"name":"room-blind"}]}
            """)
        for line in [
            "hearth_gateway_up 1", #"hearth_build_info{version="0.1.0",home="home1"} 1"#,
            #"hearth_room_temperature_celsius{room="office"} 19.5"#, #"hearth_heat_on{room="office"} 1"#,
            #"hearth_override_active{room="office"} 1"#, #"hearth_control_safe_state{room="attic"} 1"#,
            "hearth_cloud_connected 0", #"hearth_link_connected{link="uplink"} 0"#, "hearth_buffer_rows 41233",
            "hearth_receipt_seq 7", #"hearth_buffer_dropped_total{reason="journal_full"} 3"#,
            "hearth_commit_last_duration_seconds 0.0015", #"hearth_readings_discarded_total{reason="not_json"} 2"#,
            #"hearth_alarms{name="room-blind"} 2"#, "hearth_recording_up 1", "hearth_recording_restarts_total 2",
        ] {
            #expect(text.contains(line + "\n"))
        }
        // What is not known is not there, rather than a zero.
        #expect(!text.contains(#"celsius{room="attic"}"#) && !text.contains(#"heat_on{room="attic"}"#))
    }

    @Test func `a hostile room is one label`() throws {
        let name = "a\"} 1\nhearth_evil 2\\"
        let json: JSON = ["rooms": [["room": .string(name), "temperature": 20]]]
        let text = PrometheusText.encode(gatewaySamples(.status(json, at: .now), now: .now))
        #expect(text.contains(#"hearth_room_temperature_celsius{room="a\"} 1\nhearth_evil 2\\"} 20"#))
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("hearth_evil") })
    }

    @Test(arguments: [
        #"{"pid":null,"restarts":3,"silentSeconds":null,"lastEnd":"was killed by signal 9"}"#,
        #"{"pid":7,"restarts":0,"silentSeconds":3.1,"lastEnd":null}"#,
    ])
    func `a recording side that is gone or silent is away`(recording: String) throws {
        #expect(try text(#"{"recording":\#(recording)}"#).contains("hearth_recording_up 0\n"))
    }

    @Test func `without the daemon there is one honest number, and how long it has been so`() {
        let heard = ContinuousClock.now
        let loss = StatusBoard.Loss(kind: .silent, reason: "gone", last: ["home": "home1"], heardAt: heard)
        let samples = gatewaySamples(.lost(loss), now: heard + .seconds(7))
        #expect(samples.map(\.name) == ["hearth_gateway_up", "hearth_gateway_answer_age_seconds"])
        #expect(samples.map(\.value) == [0, 7])
        #expect(gatewaySamples(.unknown, now: .now).map(\.value) == [0])
    }
}
