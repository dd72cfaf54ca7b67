import Foundation
import SimulationModel
import Testing

@testable import Influx

/// Order, bounds, pipelining and stopping.
@Suite struct WriterFlowTests {
    @Test func hasTwoRequestsInFlightOnTwoConnectionsThatAreKept() throws {
        let stub = try InfluxStub { _ in .delayed(0.01) }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.maxLines = 50
        let writer = try InfluxWriter(settings)
        _ = try writer.write((0..<2_000).map { reading(series: $0 % 25, time: Int64($0)) })
        #expect(stub.snapshot.mostInFlight == 2)
        #expect(stub.snapshot.connections == 2)
        #expect(stub.snapshot.requests.count >= 40)
        #expect(stub.snapshot.violations == [])
    }

    @Test func fillsRequestsFromSeveralBatches() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        settings.linger = .seconds(60)
        let writer = try InfluxWriter(settings)
        var tickets: [Ticket] = []
        for batch in 0..<10 {
            tickets.append(try writer.submit((0..<500).map { reading(series: 0, time: Int64(batch * 500 + $0)) }))
        }
        // 5 000 lines leave without anybody waiting for them.
        try waitUntil("a full request") { stub.snapshot.requests.map(\.points.count) == [5_000] }
        for ticket in tickets { #expect(try writer.wait(ticket).stored == 500) }
    }

    @Test func sendsAPartlyFilledRequestAfterTheLingerTime() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.linger = .milliseconds(300)
        let writer = try InfluxWriter(settings)
        let start = ContinuousClock.now
        _ = try writer.submit([reading(series: 0, time: 0)])
        _ = try writer.submit([reading(series: 0, time: 1)])
        try waitUntil("both points") { stub.snapshot.stored.count == 2 }
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(stub.snapshot.requests.count == 1)
    }

    @Test func aBatchThatDoesNotLingerLeavesWithNobodyWaitingAndIsFilledUpWhileItsLaneIsBusy() throws {
        let stub = try InfluxStub { $0.number == 0 ? .delayed(0.5) : .conforming }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        settings.linger = .seconds(60)
        let writer = try InfluxWriter(settings)
        for time in 0..<4 {
            var batch = PointBatch()
            batch.add(reading(series: 0, time: Int64(time)), index: 0)
            _ = try writer.submit(batch, lingers: false)
            try waitUntil("the first request") { stub.snapshot.requests.count == 1 }
        }
        try waitUntil("all points") { stub.snapshot.stored.count == 4 }
        // The second may be made ready for the lane before the third comes.
        #expect(stub.snapshot.requests.count <= 3)
    }

    @Test func aWaitingCallerDoesNotLinger() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.linger = .seconds(60)
        let writer = try InfluxWriter(settings)
        let start = ContinuousClock.now
        _ = try writer.write([reading(series: 0, time: 0)])
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func neverSendsMoreBytesThanAllowedExceptForOneLine() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        settings.maxBytes = 4_000
        let writer = try InfluxWriter(settings)
        let points = (0..<200).map { index in
            let text = String(repeating: "x", count: index == 100 ? 9_000 : index * 10)
            return Point(measurement: "m", tags: [], fields: [("f", .string(text))], time: Int64(index))
        }
        #expect(try writer.write(points).stored == 200)
        for request in stub.snapshot.requests where request.points.count > 1 {
            #expect(request.contentBytes <= 4_000)
        }
        #expect(stub.snapshot.requests.contains { $0.points.count == 1 && $0.points[0].time == 100 })
    }

    @Test func holdsNoMoreThanItsBoundWhileTheServerIsAway() throws {
        let isBack = Collected<Bool>()
        let stub = try InfluxStub { _ in isBack.values.isEmpty ? .status(503) : .conforming }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.maxLines = 100
        settings.maxHeldBatches = 3
        let writer = try InfluxWriter(settings)
        let submitted = Collected<Ticket>()
        let producer = Thread {
            for batch in 0..<50 {
                let points = (0..<40).map { reading(series: $0 % 5, time: Int64(batch * 40 + $0)) }
                guard let ticket = try? writer.submit(points) else { return }
                submitted.append(ticket)
            }
        }
        producer.start()
        try waitUntil("the bound is reached") { writer.status.heldPoints > 260 && writer.status.retries > 20 }
        #expect(writer.status.heldPoints <= 300)
        #expect(submitted.values.count <= 7)
        isBack.append(true)
        try waitUntil("everything is submitted") { submitted.values.count == 50 }
        for ticket in submitted.values { #expect(try writer.wait(ticket).stored == 40) }
        #expect(stub.snapshot.stored.count == 2_000)
    }

    @Test func aBatchLargerThanTheBoundPassesInPieces() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.maxLines = 50
        settings.maxHeldBatches = 2
        let writer = try InfluxWriter(settings)
        #expect(try writer.write((0..<1_000).map { reading(series: $0 % 5, time: Int64($0)) }).stored == 1_000)
        #expect(stub.snapshot.requests.allSatisfy { $0.points.count <= 50 })
    }

    @Test func stopEndsBlockedCallsAtOnce() throws {
        let stub = try InfluxStub { _ in .hang }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.maxLines = 10
        settings.maxHeldBatches = 1
        let writer = try InfluxWriter(settings)
        let errors = Collected<InfluxError>()
        let first = try writer.submit([reading(series: 0, time: 0)])
        for _ in 0..<2 {
            Thread.detachNewThread {
                do throws(InfluxError) { _ = try writer.wait(first) } catch { errors.append(error) }
            }
            Thread.detachNewThread {
                do throws(InfluxError) {
                    _ = try writer.write((0..<10).map { reading(series: 0, time: Int64($0)) })
                } catch {
                    errors.append(error)
                }
            }
        }
        try waitUntil("a request hangs") { stub.snapshot.inFlight > 0 }
        let start = ContinuousClock.now
        writer.stop()
        try waitUntil("all four calls ended") { errors.values.count == 4 }
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(errors.values.allSatisfy { $0 == .stopped })
        try waitUntil("the request was dropped") { stub.snapshot.inFlight == 0 }
        #expect(throws: InfluxError.stopped) { try writer.submit([reading(series: 0, time: 9)]) }
    }

    @Test func stopEndsAWaitForTheNextAttempt() throws {
        let stub = try InfluxStub { _ in .status(503, headers: ["Retry-After: 600"]) }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        let errors = Collected<InfluxError>()
        Thread.detachNewThread {
            do throws(InfluxError) { _ = try writer.write([reading(series: 0, time: 0)]) } catch {
                errors.append(error)
            }
        }
        try waitUntil("a retry is planned") { writer.status.retries == 1 }
        writer.stop()
        try waitUntil("the call ended", within: 1) { errors.values == [.stopped] }
    }

    @Test func aFinishedResultOutlivesTheStop() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        let ticket = try writer.submit([reading(series: 0, time: 0)])
        #expect(try writer.wait(ticket).stored == 1)
        writer.stop()
        #expect(try writer.wait(ticket).stored == 1)
    }

    @Test func threadsAndConnectionsEndWithTheWriter() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        let before = try threadCount()
        for _ in 0..<20 { _ = try InfluxWriter(.fast(stub)).write([reading(series: 0, time: 0)]) }
        // One thread per connection is the stub's; other suites run at the same time.
        try waitUntil("the writers' connections are closed") { stub.snapshot.sockets.isEmpty }
        try waitUntil("the writers' threads ended") { try threadCount() < before + 20 }
    }

    /// Conservation under any sequence of faults: every point ends as stored or rejected, the server has exactly the
    /// stored ones, each with the value that was submitted last, and no series was ever in two requests at once.
    @Test(arguments: 0..<3) func everyPointIsStoredOrRejectedWhateverTheServerDoes(_ run: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        let faults = FaultScript(seed: seed)
        let stub = try InfluxStub { faults.answer($0) }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = run % 3 + 1
        // With sixteen lines of a request in conflict the writer takes the others for it too, and tries them again later: that
        // many poisoned ones in 200 do not come.
        settings.maxLines = [7, 50, 200][run % 3]
        settings.maxHeldBatches = 4
        settings.linger = .milliseconds(5)
        // Long enough that only a hanging request exceeds it: what a server does after its client gave up
        // could overtake.
        settings.requestTimeout = .seconds(3)
        let writer = try InfluxWriter(settings)
        var random = SeededGenerator(seed: seed)
        var tickets: [(ticket: Ticket, points: [Point])] = []
        var expected: [String: String] = [:]
        var rejected = 0
        for batch in 0..<40 {
            let points = (0..<Int.random(in: 0...120, using: &random)).map { index in
                reading(
                    series: Int.random(in: 0..<10, using: &random), time: Int64.random(in: 0..<60, using: &random),
                    value: Double(batch * 1_000 + index))
            }
            tickets.append((try writer.submit(points), points))
            if tickets.count > 3 {
                let (ticket, points) = tickets.removeFirst()
                rejected += try check(try writer.wait(ticket), points, &expected, seed)
            }
        }
        for (ticket, points) in tickets { rejected += try check(try writer.wait(ticket), points, &expected, seed) }
        // The stub's cuts after storing do not look for poison.
        let stored = stub.snapshot.stored.filter { !FaultScript.isPoison($0.value) }.mapValues(\.line)
        let differences = expected.filter { stored[$0.key] != $0.value }
        #expect(differences.isEmpty && stored.count == expected.count, "seed \(seed)")
        #expect(stub.snapshot.violations == [], "seed \(seed)")
        #expect(stub.snapshot.mostInFlight <= settings.lanes, "seed \(seed)")
        #expect(writer.status.heldPoints == 0 && writer.status.pointsRejected == rejected, "seed \(seed)")
    }

    private func check(
        _ result: WriteResult, _ points: [Point], _ expected: inout [String: String], _ seed: UInt64
    ) throws -> Int {
        let poison = points.indices.filter { FaultScript.isPoison(points[$0].parsed) }
        let wronged = result.rejected.filter { !poison.contains($0.index) }.prefix(3)
        try #require(result.rejected.map(\.index).sorted() == poison, "seed \(seed), such as \(Array(wronged))")
        try #require(result.stored == points.count - poison.count, "seed \(seed)")
        for (index, point) in points.enumerated() where !poison.contains(index) {
            expected[point.parsed.identity] = point.parsed.line
        }
        return poison.count
    }
}

/// Faults in a random order; one request in three is served.
private final class FaultScript: @unchecked Sendable {
    private let lock = NSLock()
    private var random: SeededGenerator
    private var hasHung = false
    init(seed: UInt64) { random = SeededGenerator(seed: seed ^ 1) }

    static func isPoison(_ point: ParsedPoint) -> Bool { point.time == 3 }

    private func hang() -> InfluxStub.Answer {
        hasHung = true
        return .hang
    }

    func answer(_ request: InfluxStub.Request) -> InfluxStub.Answer {
        let serve = InfluxStub.Answer.partial { Self.isPoison($0) }
        return lock.withLock {
            switch Int.random(in: 0..<30, using: &random) {
            case 0: .cut
            case 1: .storedThenReset
            case 2: .storedHalfAnswered
            case 3 where !hasHung: hang()
            case 4, 5: .status(503)
            case 6: .status(429, headers: ["Retry-After: 0"])
            case 7: .status(500, body: "{\"error\":\"timeout\"}")
            case 8: .status(401, body: "{\"error\":\"unable to parse authentication credentials\"}")
            case 9: request.points.count > 1 ? .status(413) : serve
            default: serve
            }
        }
    }
}

private func threadCount() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
}
