import EventLog
import Foundation
import Heating
import Influx
import Logging
import Machine
import Testing

@testable import hearth_cloud

/// What `/healthz` says of the pipelines: it must notice a loop that hangs, and no peer that is away.
@Suite(.timeLimit(.minutes(1)))
struct StandstillTests {
    /// Hangs in its computation until it is let go.
    private struct HangingStage: Stage {
        let gate: DispatchSemaphore
        let topics = ["raw_sensor_data"]
        mutating func process(_ events: [Event]) -> StageOutput {
            gate.wait()
            var output = StageOutput()
            output.points.add(Point(measurement: "m", tags: [], fields: [("value", .float(1))], time: 1), index: 0)
            output.commitAll(events)
            return output
        }
    }

    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test func aStageThatHangsIsNoticedAndADatabaseThatIsAwayIsNot() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try JournalLog(path: folder.appendingPathComponent("log.sqlite").path)
        defer { log.close() }
        let gate = DispatchSemaphore(value: 0)
        // Nothing listens there.
        let writer = try InfluxWriter(InfluxSettings(url: "http://127.0.0.1:9", target: .v1(database: "raw")))
        let runner = PipelineRunner(
            name: "p1", group: "g", instance: nil, log: log, writer: writer, names: LogTopics(),
            logger: Logger(label: "test"), makeStage: { HangingStage(gate: gate) })
        runner.start()
        try log.append([Event(topic: "raw_sensor_data", key: "home1", value: [1])])
        #expect(try await eventually { runner.metrics.snapshot.computingSince != nil })
        let since = try #require(runner.metrics.snapshot.computingSince)
        let second: Int64 = 1_000_000_000
        #expect(runner.standstill(now: since + 61 * second, limit: 60 * second)?.contains("computing for 61 s") == true)
        #expect(runner.standstill(now: since + 1 * second, limit: 60 * second) == nil)
        gate.signal()
        // Now its point waits for a database that never comes; the writer's loop turns on.
        #expect(try await eventually { writer.status.retries > 0 })
        #expect(runner.standstill(now: Clock.bootNanoseconds, limit: 15 * second) == nil)
        let turn = try #require(writer.status.lastTurn)
        #expect(runner.standstill(now: turn + 3600 * second, limit: 60 * second)?.contains("writer's loop") == true)
        runner.stop()
        writer.stop()
        #expect(try await eventually { runner.isFinished })
    }
}
