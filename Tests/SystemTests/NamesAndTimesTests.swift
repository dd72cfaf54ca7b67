import Foundation
import Heating
import TestSupport
import Testing

extension SystemTests {
    @Suite(
        "Names and times through the whole chain, from the home broker to the points",
        .enabled(if: InfluxDatabase.executable != nil))
    struct NamesAndTimesTests {
        /// Spellings that Swift, or somebody else on the way, takes for equal or for something else.
        private static let rooms = [
            "caf\u{E9}", "cafe\u{301}", "\u{212B}", "\u{C5}", "A\u{30A}", "stra\u{DF}e", "strasse", "\u{FEFF}bom",
            "bom",
            "\u{301}mark first", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F468}\u{1F469}\u{1F467}", "a b",
            "a  b",
            "k", "K", "\u{212A}", "\u{1100}\u{1161}", "\u{AC00}", "name,with=line\"protocol",
        ]

        private func chain(_ more: String = "", zone: String? = nil) async throws -> (CloudRig, CloudRig.Home) {
            let rig = try await CloudRig(.journal, homes: 0)
            for service in rig.serviceNames { try rig.start(service) }
            let home = try await CloudRig.Home("caf\u{E9} home", cloudPort: rig.broker.port, more: more, zone: zone)
            try home.start()
            try await eventually("the home records") { home.output.contains("recording") }
            return (rig, home)
        }

        private func send(_ lines: [String], to room: String, _ home: CloudRig.Home) async throws {
            let file = try TemporaryDirectory("lines")
            let path = try file.write(lines.joined(separator: "\n") + "\n", to: "lines")
            let result = try await ChildProcess.run(
                "/bin/sh",
                ["-c", "/usr/bin/mosquitto_pub -p \(home.broker.port) -q 1 -l -t \"$ROOM/temperature\" < \(path)"],
                environment: ["ROOM": room])
            guard result.exit == .code(0) else { throw Failure("mosquitto_pub: \(result.output)") }
        }

        @Test("twenty names, each a room of its own in every bucket, with its own value")
        func names() async throws {
            let (rig, home) = try await chain()
            for (number, room) in Self.rooms.enumerated() {
                try await send(
                    [#"{"timestamp": "2026-11-23T10:00:00", "value": \#(15 + number)}"#], to: room, home)
            }
            let wanted = Set(Self.rooms.enumerated().map { Point(room: Array($1.utf8), value: Double(15 + $0)) })
            for (name, measurement) in [("raw", "raw_temperature"), ("clean", "temperature_clean")] {
                var found: Set<Point> = []
                try? await eventually(within: .seconds(30)) {
                    found = try points(measurement, in: name, rig)
                    return found.count >= wanted.count
                }
                let rooms = wanted.subtracting(found).map { String(decoding: $0.room, as: UTF8.self).debugDescription }
                #expect(found == wanted, "missing in \(name): \(rooms)")
            }
        }

        /// A room by its bytes: a table keyed by `String` would make the mistake that is looked for.
        private struct Point: Hashable {
            var room: [UInt8]
            var value: Double
        }

        private func points(_ measurement: String, in name: String, _ rig: CloudRig) throws -> Set<Point> {
            let answer = try rig.database.answer("SELECT value FROM \"\(measurement)\" GROUP BY room", database: name)
            var points: Set<Point> = []
            for series in answer["results"]?[0]?["series"]?.array ?? [] {
                for row in series["values"]?.array ?? [] {
                    points.insert(
                        Point(room: Array((series["tags"]?["room"]?.string ?? "").utf8), value: row[1]?.double ?? -1))
                }
            }
            return points
        }

        @Test("the hour that comes twice, and one time with different values: as many points as readings, over a kill")
        func october() async throws {
            let (rig, home) = try await chain(zone: "Europe/Madrid")
            func pass(_ base: Int) -> [String] {
                (0..<60).map { minute in
                    #"{"timestamp": "2026-10-25T02:\#(minute < 10 ? "0" : "")\#(minute):00", "value": \#(base + minute)}"#
                }
            }
            try await send(pass(100), to: "r", home)
            try await eventually("kept") { (try? home.status())?["counters"]["recorded"].int ?? 0 >= 60 }
            home.kill()
            try home.start()
            try await eventually("the home records again") { home.output.contains("recording") }
            try await send(pass(200) + pass(200), to: "r", home)
            try await send(
                [20, 21, 22, 21].map { #"{"timestamp": "2026-11-23T10:00:00", "value": \#($0)}"# }, to: "r", home)
            let points = try await value(within: .seconds(30), "all points") {
                let points = try rig.points("raw_temperature", in: "raw").values.first ?? [:]
                return points.count >= 123 ? points : nil
            }
            let first: Int64 = 1_792_886_400_000_000_000  // 2026-10-25T00:00:00Z, 02:00 summer time
            var wanted: [String: Double] = [:]
            for minute in 0..<120 {
                wanted["r \(first + Int64(minute) * 60_000_000_000)"] = Double(
                    minute < 60 ? 100 + minute : 140 + minute)
            }
            for nth in 0..<3 { wanted["r \(1_795_424_400_000_000_000 + nth)"] = Double(20 + nth) }
            #expect(points == wanted)
            try await eventually("counted") { (try? home.status())?["counters"]["sameTime"].int == 2 }
        }
    }
}
