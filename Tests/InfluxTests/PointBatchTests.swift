import Foundation
import Testing

@testable import Influx

/// Points that are encoded as they are added.
@Suite struct PointBatchTests {
    @Test func aSeriesGivesTheLinesThatItsPointsGive() throws {
        var generator = SystemRandomNumberGenerator()
        for (home, room) in [("home1", "office"), ("a b", "c=d,e"), ("küche", "x\\y"), ("h", "")] {
            let series = Series(measurement: "raw_temperature", tags: [("home", home), ("room", room)], field: "value")
            for _ in 0..<200 {
                let value = Double(bitPattern: generator.next())
                guard value.isFinite else { continue }
                let time = Int64.random(in: .min ... .max)
                var (fast, slow) = (PointBatch(), PointBatch())
                fast.add(series, value, time: time, index: 3)
                slow.add(
                    Point(
                        measurement: "raw_temperature", tags: [("home", home), ("room", room)],
                        fields: [("value", .float(value))], time: time), index: 3)
                #expect(fast.text == slow.text && !fast.text.isEmpty)
                #expect(fast.lines.map(\.hash) == slow.lines.map(\.hash))
                #expect(fast.lines.map(\.fields) == [1] && fast.lines.map(\.index) == [3])
            }
        }
    }

    @Test func theTextOfANumberIsTakenAsItIs() {
        var batch = PointBatch()
        let series = Series(measurement: "m", tags: [("home", "h")], field: "value")
        for (index, text) in ["20.50", "-0", "0.1000000000000000055511151231257827"].enumerated() {
            Array(text.utf8).withUnsafeBufferPointer {
                batch.add(series, number: $0, time: Int64(index) - 1, index: index)
            }
        }
        #expect(
            batch.text == """
                m,home=h value=20.50 -1
                m,home=h value=-0 0
                m,home=h value=0.1000000000000000055511151231257827 1

                """)
    }

    @Test func whatHasNoFormIsRejectedUnderItsNumberAndTheRestIsWritten() async throws {
        let stub = try InfluxStub { _ in .conforming }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        defer { writer.stop() }
        var batch = PointBatch()
        let good = Series(measurement: "m", tags: [("home", "h")], field: "value")
        let bad = Series(measurement: "m", tags: [("home", "h\\")], field: "value")
        batch.add(good, 1, time: 1, index: 10)
        batch.add(bad, 2, time: 2, index: 11)
        batch.add(good, .nan, time: 3, index: 12)
        batch.add(Point(measurement: "", tags: [], fields: [], time: 4), index: 13)
        batch.add(good, 5, time: 5, index: 14)
        #expect(batch.count == 5)
        let result = try writer.wait(writer.submit(batch))
        #expect(result.stored == 2 && result.rejected.map(\.index) == [11, 12, 13])
        #expect(result.rejected.allSatisfy { !$0.reason.isEmpty })
        #expect(stub.snapshot.requests.flatMap(\.points).map(\.time) == [1, 5])
    }
}
