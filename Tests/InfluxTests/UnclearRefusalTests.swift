import Foundation
import Testing

@testable import Influx

/// A 400 in words that nobody knows: is it about some lines, or about all there is?
@Suite(.timeLimit(.minutes(1))) struct UnclearRefusalTests {
    private static let words = "the stars are not right"
    private static let refusal = InfluxStub.Answer.status(
        400, body: "{\"code\":\"invalid\",\"message\":\"\(words)\"}")

    /// Stores nothing of a request that has one of these times.
    private static func refusing(_ times: Set<Int64>) -> @Sendable (InfluxStub.Request) -> InfluxStub.Answer {
        { $0.points.contains { times.contains($0.time) } ? refusal : .conforming }
    }

    private func result(_ ticket: Ticket, _ writer: InfluxWriter) throws -> WriteResult {
        try waitUntil("every line is decided", within: 20) { writer.status.heldPoints == 0 }
        return try writer.wait(ticket)
    }

    @Test("the lines that are meant are given out, not for good, and all others are stored", arguments: [400, 422])
    func someLines(_ status: Int) throws {
        let bad: Set<Int64> = [7, 8, 2_500, 4_999]
        let stub = try InfluxStub { request in
            guard request.points.contains(where: { bad.contains($0.time) }) else { return .conforming }
            return .status(status, body: "{\"error\":\"partial write: \(Self.words) dropped=1\"}")
        }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        let writer = try InfluxWriter(settings)
        defer { writer.stop() }
        let ticket = try writer.submit((0..<5_000).map { reading(series: $0 % 25, time: Int64($0)) })
        let result = try result(ticket, writer)
        #expect(result.stored == 4_996 && Set(result.rejected.map(\.index)) == [7, 8, 2_500, 4_999])
        #expect(result.rejected.allSatisfy { $0.refusal == .unclear && !$0.refusal.isFinal })
        #expect(result.rejected.allSatisfy { $0.reason.contains(Self.words) })
        #expect(stub.snapshot.stored.count == 4_996)
        #expect(stub.snapshot.requests.count < 150)
        #expect(writer.status.alarm == nil)
    }

    @Test("a line that comes alone is told from a server in trouble by one that was taken before")
    func aloneInItsRequest() throws {
        let stub = try InfluxStub(Self.refusing([7]))
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.holdRetry = .seconds(60)
        let writer = try InfluxWriter(settings)
        defer { writer.stop() }
        #expect(try writer.write([reading(series: 0, time: 1)]).stored == 1)
        let ticket = try writer.submit([reading(series: 0, time: 7)])
        #expect(try result(ticket, writer).rejected.map(\.refusal) == [.unclear])
        #expect(stub.snapshot.requests.map { $0.points.map(\.time) } == [[1], [7], [1]])
        #expect(try writer.write([reading(series: 0, time: 8)]).stored == 1, "the lane goes on")
    }

    @Test(
        "a server that takes nothing is waited for, with an alarm, and nothing is given out", arguments: [true, false])
    func serverInTrouble(_ hasTakenSomething: Bool) throws {
        let isWell = Collected<Bool>()
        let stub = try InfluxStub { request in
            hasTakenSomething && request.number == 0 || !isWell.values.isEmpty ? .conforming : Self.refusal
        }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        let writer = try InfluxWriter(settings)
        defer { writer.stop() }
        if hasTakenSomething { #expect(try writer.write([reading(series: 0, time: 0)]).stored == 1) }
        let ticket = try writer.submit((1...1_000).map { reading(series: $0 % 5, time: Int64($0)) })
        try waitUntil("several attempts") { writer.status.retries >= 5 }
        #expect(writer.status.alarm == Self.words)
        #expect(writer.status.heldPoints == 1_000 && writer.status.pointsRejected == 0)
        isWell.append(true)
        #expect(try result(ticket, writer) == WriteResult(stored: 1_000, rejected: []))
        #expect(stub.snapshot.violations == [])
        try waitUntil("the alarm is over") { writer.status.alarm == nil }
    }

    @Test("with nothing to compare them with, a few lines are given out after a second attempt")
    func nothingToCompareWith() throws {
        let stub = try InfluxStub(Self.refusing([1, 2, 3]))
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        let writer = try InfluxWriter(settings)
        defer { writer.stop() }
        let ticket = try writer.submit((1...3).map { reading(series: 0, time: Int64($0)) })
        #expect(try result(ticket, writer).rejected.map(\.index) == [0, 1, 2])
        #expect(writer.status.retries == 1)
        #expect(try writer.write([reading(series: 0, time: 4)]).stored == 1)
    }

    @Test("trouble that begins amid such lines gives out no more than a few of the others")
    func troubleLater() throws {
        let isWell = Collected<Bool>()
        let stub = try InfluxStub { request in
            // Bad lines first; then a server that refuses everything for a while.
            if request.points.contains(where: { $0.time == 7 }) { return Self.refusal }
            return (20..<200).contains(request.number) && isWell.values.isEmpty ? Self.refusal : .conforming
        }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        let writer = try InfluxWriter(settings)
        defer { writer.stop() }
        let ticket = try writer.submit((0..<2_000).map { reading(series: $0 % 5, time: Int64($0)) })
        try waitUntil("an alarm") { writer.status.alarm != nil || writer.status.heldPoints == 0 }
        isWell.append(true)
        let result = try result(ticket, writer)
        #expect(result.rejected.count <= 1 + 2 * 16 && result.rejected.contains { $0.index == 7 })
        #expect(result.stored == 2_000 - result.rejected.count)
    }
}
