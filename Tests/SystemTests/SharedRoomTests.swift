import TestSupport
import Testing

extension SystemTests {
    @Suite("devices: several sensors of one room")
    struct SharedRoomTests {
        private func office(_ status: JSONValue) -> Double? {
            status["rooms"].array?.first { $0["room"].string == "office" }?["temperature"].double
        }

        @Test(
            "two sensors of a room as one, each way, and the one that disagrees is named",
            arguments: ["mean", "min", "max", "first"])
        func combine(_ way: String) async throws {
            let house = """
                [[sensors]]
                topic = "window/t"
                room = "office"
                [[sensors]]
                topic = "shelf/t"
                room = "office"
                [rooms.office]
                combine = "\(way)"
                disagreement = 3.0
                """
            let rig = try await Rig(configuration: house)
            try await rig.startAndSubscribe()
            try await publish("19.0", to: "window/t", port: rig.home.port)
            try await publish("24.0", to: "shelf/t", port: rig.home.port)
            let wanted = ["mean": 21.5, "min": 19.0, "max": 24.0, "first": 19.0][way]
            try await rig.status { office($0) == wanted }
            let status = try await rig.status(within: .seconds(60)) { House.finding("sensors-disagree", in: $0) != nil }
            let text = House.finding("sensors-disagree", in: status)?["text"].string ?? ""
            #expect(text.contains("window/t") && text.contains("shelf/t"), "\(text)")
            try await publish("20.0", to: "shelf/t", port: rig.home.port)
            try await rig.status(within: .seconds(60)) { House.finding("sensors-disagree", in: $0) == nil }
            try await rig.stop()
        }

        @Test(
            "of two sensors of a room a broken one counts for nothing, whatever the room makes of them, and is named",
            arguments: ["mean", "max"])
        func brokenOfTwo(_ way: String) async throws {
            let rig = try await Rig(
                configuration: """
                    [[sensors]]
                    topic = "two/{room}/+"
                    [rooms.office]
                    combine = "\(way)"
                    """)
            try await rig.startAndSubscribe()
            try await publish("18.0", to: "two/office/shelf", port: rig.home.port)
            try await rig.status { office($0) == 18 }
            // A DS18B20 after power-on, one that is not connected, and a library's word for neither.
            for broken in ["85.0", "-127", "999"] {
                try await publish(broken, to: "two/office/window", port: rig.home.port)
                let status = try await rig.status(within: .seconds(10)) {
                    House.finding("sensor-fault", in: $0)?["text"].string?.contains("says \(broken),") == true
                }
                #expect(office(status) == 18)
            }
            let home = try await Recorder(port: rig.home.port, topic: "+/heatpump")
            try await publish("17.5", to: "two/office/shelf", port: rig.home.port)
            let status = try await rig.status { office($0) == 17.5 }
            #expect(
                House.finding("sensor-fault", in: status) != nil && !home.arrivals.contains { $0.payload.contains("0") }
            )
            try await publish("17.5", to: "two/office/window", port: rig.home.port)
            try await rig.status(within: .seconds(10)) { House.finding("sensor-fault", in: $0) == nil }
            try await rig.stop()
        }
    }
}
