import Foundation
import Heating
import TestSupport
import Testing

extension SystemTests {
    @Suite(
        "measures end to end: humidity, CO2 and °F from a device's message to InfluxDB",
        .enabled(if: InfluxDatabase.executable != nil))
    struct MeasureSystemTests {
        private static let devices = """
            [kinds.station]
            topic = "st/{room}/all"
            value = "t"
            time = "at"
            unit = "F"
            command = "unused"
            [[sensors]]
            kind = "station"
            [[sensors]]
            kind = "station"
            measure = "humidity"
            value = "h"
            [[sensors]]
            kind = "station"
            measure = "co2"
            value = "c"
            discard = [0]
            [[sensors]]
            kind = "station"
            measure = "snow_depth"
            value = "s"
            """

        private static let start: Int64 = 1_795_946_400
        private static let nanoseconds: Int64 = 1_000_000_000

        /// Three values of each number, in a room by turns.
        private struct Reading {
            let number: Int
            var room: String { ["office", "bad 1"][number % 2] }
            var time: Int64 { (MeasureSystemTests.start + Int64(number)) * MeasureSystemTests.nanoseconds }
            var fahrenheit: String { "70.\(10 + number)" }
            var humidity: String { "48.\(10 + number)0" }
            /// Every tenth is a fault.
            var isFault: Bool { number % 10 == 9 }
            var co2: String { isFault ? "0" : "\(600 + number)" }
            var snow: String { "0.0\(10 + number)" }
            var payload: String {
                let at = Timestamp(nanoseconds: time)
                return #"{"t":\#(fahrenheit),"h":\#(humidity),"c":\#(co2),"s":\#(snow),"at":"\#(at)","lamp":null}"#
            }
        }

        private func points(_ readings: [Reading], _ value: (Reading) -> String) -> [String: Double] {
            Dictionary(uniqueKeysWithValues: readings.map { ("\($0.room) \($0.time)", Double(value($0)) ?? .nan) })
        }

        /// What is sent before the subscription stands is nobody's.
        private func listens(_ home: CloudRig.Home) async throws {
            try await eventually("the recording side listens to the stations") {
                home.broker.log.contains("hearthd-home1-record 1 st/+/all")
            }
        }

        @Test("through an outage every reading once, with its exact number", arguments: CloudRig.Engine.allCases)
        func outage(_ engine: CloudRig.Engine) async throws {
            let rig = try await CloudRig(engine, homes: 0)
            let home = try await CloudRig.Home("home1", cloudPort: rig.broker.port, more: Self.devices)
            for service in rig.serviceNames {
                try rig.start(service, environment: ["AGGREGATE_MEASURES": "humidity, co2"])
            }
            try home.start()
            try await listens(home)
            let all = (0..<60).map(Reading.init(number:))
            func send(_ readings: ArraySlice<Reading>) async throws {
                for reading in readings {
                    try await publish(reading.payload, to: "st/\(reading.room)/all", port: home.broker.port)
                }
            }
            try await send(all[..<20])
            rig.broker.kill()
            try await send(all[20..<45])
            try await rig.broker.start()
            try await send(all[45...])
            // A black box that speaks to the cloud broker itself.
            try await eventually("the ingestor is back") { rig.output(rig.ingestName).contains("connected") }

            let sound = all.filter { !$0.isFault }
            let expected: [(measurement: String, database: String, points: [String: Double])] = [
                ("raw_temperature", "raw", points(all, \.fahrenheit)),
                ("raw_humidity", "raw", points(all, \.humidity)), ("raw_co2", "raw", points(all, \.co2)),
                ("raw_snow_depth", "raw", points(all, \.snow)),
                ("humidity_clean", "clean", points(all, \.humidity)), ("co2_clean", "clean", points(sound, \.co2)),
                ("snow_depth_clean", "clean", points(all, \.snow)),
            ]
            for (measurement, database, wanted) in expected {
                try await eventually(within: .seconds(90), "\(measurement) is whole") {
                    try rig.points(measurement, in: database)["home1"] == wanted
                }
            }
            let clean = try rig.points("temperature_clean", in: "clean")["home1"] ?? [:]
            #expect(clean.count == all.count)
            for reading in all {
                let celsius = try #require(clean["\(reading.room) \(reading.time)"])
                let fahrenheit = try #require(Double(reading.fahrenheit))
                #expect(abs(celsius - (fahrenheit - 32) / 1.8) < 1e-9)
            }
            for (measure, database) in [("humidity", "humidity_clean"), ("co2", "co2_clean")] {
                let reference = CloudRig.reference(
                    try renamed(rig.points(database, in: "clean")["home1"] ?? [:]))
                try await eventually(within: .seconds(60), "the home's mean \(measure)") {
                    let means = try rig.points("home_avg_\(measure)", field: "avg", in: "aggregate")["home1"] ?? [:]
                    return means.count == reference.count
                        && reference.allSatisfy { key, value in means[key].map { abs($0 - value) < 1e-9 } ?? false }
                }
            }
            #expect(try rig.points("home_avg_snow_depth", field: "avg", in: "aggregate").isEmpty)
            let rejected = try rig.points("raw_lamp", in: "raw")
            #expect(rejected.isEmpty)

            // Neither gateway nor properties: the form of the contract alone.
            try await publish(
                #"{"timestamp": "2026-11-29T10:00:00", "value": 55.50}"#, to: "home2/cellar/humidity",
                port: rig.broker.port)
            try await eventually(within: .seconds(30), "a plain producer's humidity") {
                try rig.points("raw_humidity", in: "raw")["home2"] == ["cellar 1795946400000000000": 55.5]
            }
            let shown = try home.status()["measures"].array ?? []
            #expect(shown.contains { $0["measure"].string == "humidity" && $0["unit"].string == "%" }, "\(shown)")
        }

        /// The reference splits at the space, which one room's name has, too.
        private func renamed(_ points: [String: Double]) -> [String: Double] {
            Dictionary(
                uniqueKeysWithValues: points.map { ($0.key.replacingOccurrences(of: "bad 1", with: "bad1"), $0.value) })
        }

        @Test(
            "a cloud broker whose rules know temperatures only: the measures come in frames, once, until it grants more"
        )
        func oldRules() async throws {
            let directory = try TemporaryDirectory("rules")
            let rules = try directory.write(
                """
                topic readwrite +/+/temperature
                topic readwrite +/+/heatpump
                topic readwrite +/frame
                topic readwrite +/gateway/ack
                topic readwrite +/gateway/status
                """, to: "acl")
            let rig = try await CloudRig(.journal, homes: 0)
            let broker = try await Mosquitto.started(Mosquitto.fast + "\nacl_file \(rules)\n")
            let home = try await CloudRig.Home("home1", cloudPort: broker.port, more: Self.devices)
            try rig.start("serve", environment: ["MQTT_PORT": "\(broker.port)"])
            try home.start()
            try await listens(home)
            let all = (0..<5).map(Reading.init(number:))
            for reading in all {
                try await publish(reading.payload, to: "st/\(reading.room)/all", port: home.broker.port)
            }
            // The broker ends the connection at the first measure, and what it refused is sent again.
            try await eventually(within: .seconds(60), "all is there") {
                try rig.points("raw_humidity", in: "raw")["home1"] == points(all, \.humidity)
                    && rig.points("raw_temperature", in: "raw")["home1"] == points(all, \.fahrenheit)
            }
            try await eventually(within: .seconds(30), "all is confirmed") {
                try home.status()["uplink"]["backlog"].int == 0
            }
            // Accounts of the records are a convenience: said once, with the line, and no storm.
            let line = "topic readwrite +/gateway/stored"
            try await eventually(within: .seconds(60), "what is missing is said") {
                rig.output("serve").contains(line)
            }
            try await Task.sleep(for: .seconds(5))
            #expect(broker.log.components(separatedBy: " as hearth-stored-").count - 1 <= 4)
            #expect(rig.output("serve").components(separatedBy: line).count == 2)

            // Rights that are granted later count without a restart.
            let before = broker.log.count
            _ = try directory.write("topic readwrite #\n", to: "acl")
            broker.send(SIGHUP)
            try await eventually("the rules are read anew") {
                broker.log.dropFirst(before).contains("Reloading config.")
            }
            let granted = broker.log.count
            func isTaken() -> Bool {
                let log = broker.log.dropFirst(granted)
                return log.contains("'home1/office/humidity'")
                    && log.contains("Received PUBLISH from hearth-stored-")
            }
            let deadline = ContinuousClock.now + .seconds(100)
            var number = 10
            while !isTaken(), ContinuousClock.now < deadline {
                number += 1
                let reading = Reading(number: number)
                try await publish(reading.payload, to: "st/\(reading.room)/all", port: home.broker.port)
                try await Task.sleep(for: .milliseconds(500))
            }
            #expect(isTaken(), "a measure travels on its own topic, an account is told")
            #expect(!broker.log.dropFirst(granted).contains("Denied PUBLISH"))
        }
    }
}
