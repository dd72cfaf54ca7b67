import EventLog
import Foundation
import HTTP
import Influx
import Logging
import Synchronization
import Testing

@testable import hearth_cloud

/// A database that refuses one room's points in words that nobody knows: everybody else goes on.
@Suite("Points that the database refuses in unknown words", .timeLimit(.minutes(2)))
struct UnclearPointsTests {
    /// Takes every request without the room `cursed`, until it is mended.
    private final class Database: Sendable {
        let isMended = Atomic(false)
        private let bodies = Mutex("")
        private let port = Atomic(0)

        func serve() async throws {
            let limits = HTTPLimits(bodyBytes: 8 << 20)
            let server = HTTPServer(host: "127.0.0.1", port: 0, limits: limits) { [self] request in
                // Not compressed on the way to one's own machine: the lines are in there as they are.
                let text = String(decoding: request.body, as: UTF8.self)
                if text.contains("room=cursed"), !isMended.load(ordering: .relaxed) {
                    return HTTPResponse(400, text: #"{"error":"the stars are not right"}"#, type: "application/json")
                }
                bodies.withLock { $0 += text }
                return HTTPResponse(204)
            }
            try await server.run { self.port.store($0, ordering: .relaxed) }
        }

        var url: String? {
            let port = port.load(ordering: .relaxed)
            return port == 0 ? nil : "http://127.0.0.1:\(port)"
        }

        func rooms(of home: String) -> Int {
            let text = bodies.withLock { $0 }
            return (0..<20).count { text.contains("home=\(home),room=room\($0) ") }
        }

        func has(_ text: String) -> Bool { bodies.withLock { $0.contains(text) } }
    }

    private func events(_ home: String, _ rooms: [String], at second: Int64) -> [Event] {
        rooms.map {
            stored(home: home, room: $0, at: second * 1_000_000_000, value: "20.5", offset: 0, topic: names.raw)
        }
    }

    private func eventually(_ what: String, within limit: Duration = .seconds(20), _ condition: () -> Bool) async throws
    {
        let end = ContinuousClock.now + limit
        while !condition(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition(), "\(what)")
    }

    @Test(
        "they are kept until it takes them, the service says why, and nobody waits for them", arguments: [true, false])
    func oneRoom(_ isRaw: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = try JournalLog(path: folder.appendingPathComponent("log.sqlite").path)
        defer { log.close() }
        let database = Database()
        let serving = Task { try await database.serve() }
        defer { serving.cancel() }
        try await eventually("the database listens") { database.url != nil }
        let writer = try InfluxWriter(
            InfluxSettings(url: try #require(database.url), target: .v1(database: "raw")))
        defer { writer.stop() }
        let runner = PipelineRunner(
            name: "p", group: "g", instance: nil, log: log, writer: writer, names: names, logger: Logger(label: "test")
        ) {
            if isRaw { SaveRaw(names) } else { Clean(names) }
        }
        runner.start()
        defer { runner.stop() }
        let rooms = (0..<20).map { "room\($0)" }
        // Alone, before the database has taken anything; then among others.
        try log.append(events("home1", ["cursed"], at: 1))
        try await eventually("one waits") { runner.held.count == 1 }
        try log.append(events("home1", rooms + ["cursed"], at: 2) + events("home2", rooms, at: 2))
        try await eventually("all others") { database.rooms(of: "home1") == 20 && database.rooms(of: "home2") == 20 }
        try await eventually("two wait") { runner.held.count == 2 }
        for home in 3..<6 { try log.append(events("home\(home)", rooms, at: 3)) }
        try await eventually("homes that come later") { database.rooms(of: "home5") == 20 }
        let alarm = try #require(runner.held.alarm)
        #expect(alarm.hasPrefix("2 points wait") && alarm.contains("the stars are not right"))
        #expect(writer.status.alarm == nil, "no lane is held up")
        #expect(!database.has("cursed") && runner.metrics.snapshot.rejected.values.allSatisfy { $0 == 0 })
        let letters = try DeadLetterBox.open(in: log, topic: names.deadLetter).map(\.letter)
        #expect(letters.map(\.reasonClass) == [HeldPoints.unclearClass, HeldPoints.unclearClass])

        database.isMended.store(true, ordering: .relaxed)
        try await eventually("they come by themselves") { database.has("room=cursed") && runner.held.count == 0 }
        #expect(runner.held.alarm == nil)
        #expect(try DeadLetterBox.open(in: log, topic: names.deadLetter).isEmpty)
    }
}
