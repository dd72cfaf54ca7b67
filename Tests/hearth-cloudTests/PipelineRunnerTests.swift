import EventLog
import Foundation
import Influx
import Logging
import Testing

@testable import hearth_cloud

/// How a pipeline turns: what is done is handed on and committed before it waits for more.
@Suite(.timeLimit(.minutes(1)))
struct PipelineRunnerTests {
    /// Hands on what it gets.
    private struct PassingStage: Stage {
        let topics = ["raw_sensor_data"]
        mutating func process(_ events: [Event]) -> StageOutput {
            var output = StageOutput()
            output.events = events.map { Event(topic: "clean-data", key: $0.key, value: $0.value) }
            output.commitAll(events)
            return output
        }
    }

    /// A read waits a quarter of a second for events, so that a batch which had to wait for the next read to end would
    /// take that long however fast the machine is.
    @Test func aBatchIsHandedOnWithoutWaitingForTheNext() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try JournalLog(path: folder.appendingPathComponent("log.sqlite").path)
        defer { log.close() }
        // Nothing listens there, and there are no points.
        let writer = try InfluxWriter(InfluxSettings(url: "http://127.0.0.1:9", target: .v1(database: "raw")))
        defer { writer.stop() }
        let runner = PipelineRunner(
            name: "p", group: "g", instance: nil, log: log, writer: writer, names: LogTopics(),
            logger: Logger(label: "test"), makeStage: { PassingStage() })
        runner.start()
        defer { runner.stop() }
        let reader = try log.reader(group: "end", topics: ["clean-data"], instance: nil)
        defer { reader.close() }
        var times: [Duration] = []
        for number in 0..<10 {
            let start = ContinuousClock.now
            try log.append([Event(topic: "raw_sensor_data", key: "home1", value: [UInt8(number)])])
            var events: [Event] = []
            while events.isEmpty, ContinuousClock.now - start < .seconds(20) {
                events = try reader.read(atMost: 10, within: 1_000_000_000).events
            }
            times.append(ContinuousClock.now - start)
            #expect(events.map(\.value) == [[UInt8(number)]])
        }
        #expect(times.min() ?? .zero < .milliseconds(150), "\(times)")
    }
}
