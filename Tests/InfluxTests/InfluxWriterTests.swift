import Foundation
import Testing

@testable import Influx

/// The writer against an endpoint that is strict about requests and answers anything.
@Suite struct InfluxWriterTests {
    @Test func writesWhatWasSubmittedInTheFormTheServerWants() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.compressionLevel = 1
        let writer = try InfluxWriter(settings)
        let points = (0..<500).map { reading(series: $0 % 7, time: Int64($0)) }
        #expect(try writer.write(points) == WriteResult(stored: 500, rejected: []))
        #expect(stub.snapshot.violations == [])
        #expect(Set(stub.snapshot.stored.values.map(\.line)) == Set(points.map(\.parsed.line)))
        let request = try #require(stub.snapshot.requests.first)
        #expect(request.query == ["org": "cloud & home", "bucket": "raw", "precision": "ns"])
        #expect(request.headers["authorization"] == "Token \(InfluxStub.token)")
        #expect(request.compressedBytes < request.points.count * 30)
        #expect(writer.status.pointsWritten == 500 && writer.status.heldPoints == 0)
        #expect(writer.status.lastLatency ?? .zero > .zero)
        #expect(try writer.write([]) == WriteResult(stored: 0, rejected: []))
    }

    @Test(arguments: [
        InfluxStub.Answer.status(503), .status(500, body: "{\"error\":\"timeout\"}"), .status(429), .status(502),
        .cut, .storedThenReset, .storedHalfAnswered, .storedThenCut, .hang, .slow,
    ])
    func storesEveryPointAfterATransientFault(_ fault: InfluxStub.Answer) throws {
        let stub = try InfluxStub { $0.number < 3 ? fault : .conforming }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        if fault.isEndless { settings.requestTimeout = .milliseconds(300) }
        let writer = try InfluxWriter(settings)
        let points = (0..<100).map { reading(series: $0 % 5, time: Int64($0)) }
        #expect(try writer.write(points) == WriteResult(stored: 100, rejected: []))
        #expect(Set(stub.snapshot.stored.values.map(\.line)) == Set(points.map(\.parsed.line)))
        #expect(stub.snapshot.violations == [])
        if case .storedThenCut = fault {} else { #expect(writer.status.retries >= 3) }
        #expect(writer.status.alarm == nil && writer.status.lastError == nil)
    }

    @Test func keepsTryingWhileNobodyListens() throws {
        let port = try freePort()
        let writer = try InfluxWriter(.fast(url: "http://127.0.0.1:\(port)"))
        let ticket = try writer.submit([reading(series: 0, time: 1)])
        try waitUntil("three attempts") { writer.status.retries >= 3 }
        #expect(writer.status.lastError?.contains("127.0.0.1") == true)
        let stub = try InfluxStub(port: port)
        defer { stub.stop() }
        #expect(try writer.wait(ticket).stored == 1)
    }

    @Test func waitsAsLongAsRetryAfterSays() throws {
        let stub = try InfluxStub { $0.number == 0 ? .status(503, headers: ["Retry-After: 1"]) : .conforming }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        let start = ContinuousClock.now
        #expect(try writer.write([reading(series: 0, time: 1)]).stored == 1)
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(stub.snapshot.requests.count == 2)
    }

    @Test func sendsHalvesOfARequestThatIsTooLarge() throws {
        let stub = try InfluxStub { $0.points.count > 100 ? .status(413) : .conforming }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        let points = (0..<1_000).map { reading(series: $0 % 5, time: Int64($0)) }
        #expect(try writer.write(points) == WriteResult(stored: 1_000, rejected: []))
        #expect(stub.snapshot.stored.count == 1_000)
    }

    @Test func rejectsASingleLineThatIsTooLarge() throws {
        let stub = try InfluxStub { $0.points.contains { $0.time == 7 } ? .status(413) : .conforming }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        var points = (0..<50).map { reading(series: $0 % 5, time: Int64($0)) }
        points[7].fields = [("text", .string(String(repeating: "x", count: 70_000)))]
        let result = try writer.write(points)
        #expect(result.stored == 49 && result.rejected.map(\.index) == [7])
        #expect(result.rejected.first?.refusal == .tooLarge && result.rejected.first?.reason == "HTTP 413")
        #expect(stub.snapshot.stored.count == 49)
    }

    @Test(arguments: [422, 400, 500, 503, 207])
    func findsOnePoisonPointInFiveThousand(_ status: Int) throws {
        let stub = try InfluxStub { _ in .partial(status: status) { $0.time == 4_321 } }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.lanes = 1
        let writer = try InfluxWriter(settings)
        let result = try writer.write((0..<5_000).map { reading(series: $0 % 25, time: Int64($0)) })
        #expect(result.stored == 4_999)
        #expect(result.rejected.map(\.index) == [4_321])
        #expect(result.rejected.first?.reason.contains("field type conflict") == true)
        #expect(stub.snapshot.stored.count == 4_999)
        // Two requests per halving.
        #expect(stub.snapshot.requests.count <= 1 + 2 * 13)
        #expect(writer.status.pointsWritten == 4_999 && writer.status.pointsRejected == 1)
    }

    @Test func doesNotTakeApartWhatTheServerRefusedAsAWhole() throws {
        let stub = try InfluxStub { _ in .partial { _ in true } }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        let result = try writer.write((0..<2_000).map { reading(series: $0 % 5, time: Int64($0)) })
        #expect(result.stored == 0)
        #expect(Set(result.rejected.map(\.index)) == Set(0..<2_000))
        #expect(stub.snapshot.requests.count <= 2)
    }

    @Test(arguments: [401, 403, 404, 200, 302])
    func holdsTheDataAndRaisesAnAlarmUntilTheConfigurationIsCorrected(_ status: Int) throws {
        let body = "{\"code\":\"x\",\"message\":\"somebody must act\"}"
        let stub = try InfluxStub { $0.number < 4 ? .status(status, body: body) : .conforming }
        defer { stub.stop() }
        let alarms = Collected<String?>()
        let writer = try InfluxWriter(.fast(stub)) { alarms.append($0) }
        let ticket = try writer.submit((0..<10).map { reading(series: $0, time: 1) })
        try waitUntil("an alarm") { alarms.values.first == "somebody must act" }
        #expect(try writer.wait(ticket) == WriteResult(stored: 10, rejected: []))
        try waitUntil("the alarm is over") { alarms.values.last == .some(nil) }
        #expect(writer.status.alarm == nil)
    }

    @Test func aServerThatAsksForAWaitLongerThanTheAlarmIsToldOfMeanwhile() throws {
        let stub = try InfluxStub { _ in
            .status(429, body: "{\"message\":\"slow down\"}", headers: ["Retry-After: 600"])
        }
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        settings.alarmAfter = .milliseconds(300)
        let alarms = Collected<String?>()
        let writer = try InfluxWriter(settings) { alarms.append($0) }
        defer { writer.stop() }
        _ = try writer.submit([reading(series: 0, time: 1)])
        try waitUntil("the first answer") { writer.status.lastError == "slow down" }
        try waitUntil("an alarm") { alarms.values == ["slow down"] }
        #expect(writer.status.alarm == "slow down" && stub.snapshot.requests.count == 1)
    }

    @Test func aCompressedAnswerIsRead() throws {
        let stub = try InfluxStub { _ in
            .compressed(422, body: "{\"message\":\"points beyond retention policy dropped=1\"}")
        }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        defer { writer.stop() }
        let ticket = try writer.submit([reading(series: 0, time: 1)])
        try waitUntil("a decision") { writer.status.heldPoints == 0 || writer.status.alarm != nil }
        #expect(writer.status.alarm == nil)
        #expect(writer.status.pointsRejected == 1)
        if writer.status.heldPoints == 0 {
            #expect(try writer.wait(ticket).rejected.map(\.refusal) == [.beyondRetention])
        }
    }

    @Test func aRedirectIsToldWithWhereTo() throws {
        let stub = try InfluxStub { _ in
            .status(307, body: "<a href=x>moved</a>", headers: ["Location: https://db.example.org/api/v2/write?org=a"])
        }
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        defer { writer.stop() }
        _ = try writer.submit([reading(series: 0, time: 1)])
        try waitUntil("an alarm") { writer.status.alarm != nil }
        let alarm = writer.status.alarm ?? ""
        #expect(alarm.contains("https://db.example.org/api/v2/write") && alarm.contains("INFLUX_URL"), "\(alarm)")
    }

    @Test func aWrongTokenOrBucketIsHeldByTheRealChecks() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        for target in [
            InfluxSettings.Target.v2(organization: "cloud & home", bucket: "raw", token: "wrong"),
            .v2(organization: "cloud & home", bucket: "missing", token: InfluxStub.token),
            .v2(organization: "other", bucket: "raw", token: InfluxStub.token), .v1(database: "raw"),
        ] {
            var settings = InfluxSettings.fast(stub)
            settings.target = target
            let writer = try InfluxWriter(settings)
            _ = try writer.submit([reading(series: 0, time: 0)])
            try waitUntil("an alarm for \(target)") { writer.status.alarm != nil }
            #expect(writer.status.heldPoints == 1 && writer.status.pointsRejected == 0)
            writer.stop()
        }
    }

    @Test func rejectsWhatCannotBeEncodedAndStoresTheRest() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        let writer = try InfluxWriter(.fast(stub))
        var points = (0..<10).map { reading(series: 0, time: Int64($0)) }
        points[3].fields = [("value", .float(.nan))]
        points[8].tags = [("room", "attic\\")]
        let result = try writer.write(points)
        #expect(result.stored == 8 && result.rejected.map(\.index) == [3, 8])
        #expect(result.rejected[0].reason == "the field \"value\" is not a finite number")
        #expect(stub.snapshot.stored.count == 8 && writer.status.pointsRejected == 2)
    }

    @Test func aSettingThatCannotWorkIsRefusedAtOnce() {
        let good = InfluxSettings.fast(url: "http://localhost:8086")
        func isRefused(_ change: (inout InfluxSettings) -> Void) -> Bool {
            var settings = good
            change(&settings)
            do {
                _ = try InfluxWriter(settings)
                return false
            } catch InfluxError.invalidSetting { return true } catch { return false }
        }
        #expect(!isRefused { _ in })
        for url in [
            "", "localhost:8086", "ftp://x", "http://", "http:///x", "http://x?y", "http://x\r\ny", "http://x y",
        ] {
            #expect(isRefused { $0.url = url }, "\(url)")
        }
        #expect(isRefused { $0.target = .v2(organization: "o", bucket: "b", token: "t\r\nX: y") })
        #expect(isRefused { $0.target = .v2(organization: "", bucket: "b", token: "t") })
        #expect(isRefused { $0.target = .v2(organization: "o", bucket: "", token: "t") })
        #expect(isRefused { $0.target = .v1(database: "") })
        #expect(isRefused { $0.compressionLevel = 10 })
        #expect(isRefused { $0.lanes = 0 })
        #expect(isRefused { $0.maxLines = 0 })
        #expect(isRefused { $0.linger = .seconds(-1) })
    }
}

extension InfluxWriterTests {
    @Test(arguments: [
        ("http://127.0.0.1:8086", 0), ("http://localhost", 0), ("https://[::1]:8086/influx/", 0),
        ("http://user:word@127.0.0.1:8086", 0), ("http://influxdb:8086", 1), ("http://localhost.example.org", 1),
        ("http://127.0.0.1@10.0.0.1:8086", 1), ("https://10.127.0.1/127.0.0.1", 1),
    ])
    func compressesUnlessTheServerIsOnThisMachine(_ url: String, _ level: Int) throws {
        #expect(try WriteEndpoint(.fast(url: url)).compressionLevel == level)
    }

    @Test("a token that was changed in its file is taken without a restart, and what was held is written")
    func renewedToken() throws {
        let stub = try InfluxStub()
        defer { stub.stop() }
        var settings = InfluxSettings.fast(stub)
        let right = settings.target
        settings.target = .v2(organization: "cloud & home", bucket: "raw", token: "of-yesterday")
        let isChanged = Collected<Bool>()
        settings.renewed = { isChanged.values.isEmpty ? nil : right }
        let alarms = Collected<String?>()
        let writer = try InfluxWriter(settings) { alarms.append($0) }
        let ticket = try writer.submit([reading(series: 0, time: 1), reading(series: 1, time: 2)])
        try waitUntil("it is refused") { alarms.values.contains { $0?.contains("unauthorized") == true } }
        #expect(stub.snapshot.stored.isEmpty)
        isChanged.append(true)
        #expect(try writer.wait(ticket).stored == 2)
        #expect(stub.snapshot.stored.count == 2)
        try waitUntil("the alarm is over") { writer.status.alarm == nil }
    }

}

// MARK: - Shared by the suites

/// A reading whose value tells which point it is.
func reading(series: Int, time: Int64, value: Double? = nil) -> Point {
    Point(
        measurement: "raw_temperature", tags: [("home", "home\(series / 5)"), ("room", "room \(series % 5)")],
        fields: [("value", .float(value ?? Double(time) * 1.1 + Double(series)))], time: time)
}

extension InfluxSettings {
    static func fast(_ stub: InfluxStub) -> InfluxSettings { .fast(url: stub.url) }

    static func fast(url: String) -> InfluxSettings {
        var settings = InfluxSettings(
            url: url, target: .v2(organization: "cloud & home", bucket: "raw", token: InfluxStub.token))
        settings.backoffBase = .milliseconds(2)
        settings.backoffCap = .milliseconds(20)
        settings.holdRetry = .milliseconds(30)
        return settings
    }
}

extension ParsedPoint {
    var line: String { "\(identity) \(fields)" }
}

/// Values from other threads.
final class Collected<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var collected: [Value] = []
    var values: [Value] { lock.withLock { collected } }
    func append(_ value: Value) { lock.withLock { collected.append(value) } }
}
