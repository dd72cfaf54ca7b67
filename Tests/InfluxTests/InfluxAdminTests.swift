import Foundation
import Glibc
import Heating
import Testing

@testable import Influx

/// Buckets of API v2, against the part of it that `setup` uses; version 1 is tested on the real database.
@Suite struct InfluxAdminTests {
    private func admin(_ stub: BucketStub, bucket: String = "raw", token: String = "t") -> InfluxAdmin {
        var settings = InfluxSettings(
            url: stub.url + "/", target: .v2(organization: "cloud & home", bucket: bucket, token: token))
        settings.requestTimeout = .seconds(5)
        return InfluxAdmin(settings)
    }

    @Test func createsABucketOnceAndTellsItsRetention() throws {
        let stub = try BucketStub()
        defer { stub.stop() }
        try admin(stub).ping()
        #expect(try admin(stub).prepareTarget(retention: .seconds(86_400)) == .created)
        #expect(
            try admin(stub).prepareTarget(retention: .seconds(7_200)) == .existed(retention: .seconds(86_400)))
        #expect(try admin(stub, bucket: "for ever").prepareTarget(retention: nil) == .created)
        #expect(try admin(stub, bucket: "for ever").prepareTarget(retention: nil) == .existed(retention: nil))
        #expect(stub.buckets == ["raw": 86_400, "for ever": 0])
    }

    @Test func losingTheRaceToCreateItIsNoError() throws {
        let stub = try BucketStub(losesRace: true)
        defer { stub.stop() }
        #expect(
            try admin(stub).prepareTarget(retention: .seconds(3_600)) == .existed(retention: .seconds(999_999)))
    }

    @Test func makesATokenThatOnlyWritesIntoItsBuckets() throws {
        let stub = try BucketStub()
        defer { stub.stop() }
        _ = try admin(stub).prepareTarget(retention: nil)
        _ = try admin(stub, bucket: "clean").prepareTarget(retention: nil)
        let token = try admin(stub).makeWriteToken(for: ["raw", "clean"], description: "hearth-cloud serve")
        #expect(token == "made for hearth-cloud serve")
        #expect(stub.permissions == ["write buckets raw", "write buckets clean"])
        #expect(throws: InfluxError.self) { try admin(stub).makeWriteToken(for: ["missing"], description: "x") }
    }

    @Test func makesADatabaseOfVersion3Once() throws {
        let stub = try BucketStub()
        defer { stub.stop() }
        var settings = admin(stub).settings
        settings.target = .v3(database: "raw", token: "t3")
        #expect(try InfluxAdmin(settings).prepareTarget(retention: .seconds(86_400)) == .created)
        #expect(try InfluxAdmin(settings).prepareTarget(retention: .seconds(86_400)) == .existed(retention: nil))
        #expect(stub.buckets == ["raw": 24])
        settings.target = .v3(database: "raw", token: "wrong")
        #expect(throws: InfluxError.requestFailed("the request was not authenticated")) {
            try InfluxAdmin(settings).prepareTarget(retention: nil)
        }
    }

    @Test(
        "a wrong token, a missing right, a name that does not exist, a path without API are known without a point",
        arguments: [401, 403, 404, 301, 500, 503])
    func probeFindsWhatIsWrong(_ status: Int) throws {
        let stub = try InfluxStub { $0.path == "/ping" ? .status(204) : .status(status, body: #"{"message":"no"}"#) }
        defer { stub.stop() }
        #expect(throws: InfluxError.self) { try InfluxAdmin(.fast(stub)).probe() }
    }

    @Test("what else a server says of a request without points is no matter", arguments: [204, 200, 400, 413, 429])
    func probeIsContent(_ status: Int) throws {
        let text = "writing requires points"
        let stub = try InfluxStub { $0.path == "/ping" ? .status(204) : .status(status, body: text) }
        defer { stub.stop() }
        try InfluxAdmin(.fast(stub)).probe()
        #expect(stub.snapshot.stored.isEmpty)
    }

    @Test func saysWhyItCannot() throws {
        let stub = try BucketStub()
        defer { stub.stop() }
        #expect(throws: InfluxError.requestFailed("unauthorized access")) {
            try admin(stub, token: "wrong").prepareTarget(retention: nil)
        }
        #expect(throws: InfluxError.self) { try admin(stub).prepareTarget(retention: .seconds(3_599)) }
        var settings = admin(stub).settings
        settings.target = .v2(organization: "other", bucket: "raw", token: "t")
        #expect(throws: InfluxError.requestFailed("organization name \"other\" not found")) {
            try InfluxAdmin(settings).prepareTarget(retention: nil)
        }
        settings.url = "http://127.0.0.1:\(try freePort())"
        #expect(throws: InfluxError.self) { try InfluxAdmin(settings).ping() }
        #expect(stub.buckets.isEmpty)
    }
}

private final class BucketStub: @unchecked Sendable {
    let url: String
    private let listener: CInt
    private let losesRace: Bool
    private let lock = NSLock()
    private var retention: [String: Int64] = [:]
    private var granted: [String] = []
    var buckets: [String: Int64] { lock.withLock { retention } }
    var permissions: [String] { lock.withLock { granted } }

    init(losesRace: Bool = false) throws {
        let (listener, port) = try listeningSocket()
        self.listener = listener
        self.losesRace = losesRace
        url = "http://127.0.0.1:\(port)"
        Thread.detachNewThread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else {
                    // Closed here and not in `stop`: the number could be another stub's listener by the next accept.
                    close(listener)
                    return
                }
                var connection = StubConnection(socket: socket)
                if let message = try? connection.next(), let (status, body) = self?.answer(message) {
                    let text = body.serialized()
                    let head = "HTTP/1.1 \(status) X\r\nConnection: close\r\n"
                    let length = status == 204 ? "" : "Content-Length: \(text.utf8.count)\r\n"
                    try? sendAll(socket, Array((head + length + "\r\n" + (status == 204 ? "" : text)).utf8))
                }
                close(socket)
            }
        }
    }

    func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    private func answer(_ message: StubConnection.Message) -> (Int, JSON) {
        func error(_ code: String, _ text: String) -> JSON { ["code": .string(code), "message": .string(text)] }
        if message.path == "/ping" { return (204, nil) }
        if message.path.hasPrefix("/api/v3/") { return answer3(message) }
        if message.headers["authorization"] != "Token t" { return (401, error("unauthorized", "unauthorized access")) }
        switch (message.method, message.path) {
        case ("GET", "/api/v2/orgs"):
            let name = message.query["org"] ?? ""
            if name != "cloud & home" { return (404, error("not found", "organization name \"\(name)\" not found")) }
            return (200, ["orgs": [["id": "00aa", "name": .string(name)]]])
        case ("GET", "/api/v2/buckets") where message.query["orgID"] == "00aa":
            let found = buckets.filter { $0.key == message.query["name"] }.map(bucket)
            return (200, ["buckets": .array(found)])
        case ("POST", "/api/v2/buckets") where message.headers["content-type"] == "application/json":
            guard let json = try? JSON.parse(message.body), let name = json["name"]?.string,
                json["orgID"]?.string == "00aa", let rules = json["retentionRules"]?.array
            else { return (400, error("invalid", "bad request")) }
            let seconds = rules.first?["everySeconds"]?.int ?? 0
            if losesRace {
                lock.withLock { retention[name] = 999_999 }
                return (422, error("conflict", "bucket with name \(name) already exists"))
            }
            lock.withLock { retention[name] = seconds }
            return (201, bucket(name, seconds))
        case ("POST", "/api/v2/authorizations"):
            guard let json = try? JSON.parse(message.body), let description = json["description"]?.string,
                let wanted = json["permissions"]?.array
            else { return (400, error("invalid", "bad request")) }
            let texts = wanted.map { permission in
                let resource = permission["resource"]
                return [permission["action"], resource?["type"], resource?["id"]].map { $0?.string ?? "?" }.joined(
                    separator: " ")
            }
            lock.withLock { granted = texts }
            return (201, ["token": .string("made for \(description)")])
        default:
            return (404, error("not found", "path not found"))
        }
    }

    /// https://docs.influxdata.com/influxdb3/core/admin/databases/create/; hours of retention as the value.
    private func answer3(_ message: StubConnection.Message) -> (Int, JSON) {
        guard message.headers["authorization"] == "Bearer t3" else {
            return (401, ["error": "the request was not authenticated"])
        }
        switch (message.method, message.path) {
        case ("GET", "/api/v3/configure/database") where message.query == ["format": "json"]:
            return (200, .array(buckets.keys.map { ["iox::database": .string($0)] }))
        case ("POST", "/api/v3/configure/database"):
            guard let json = try? JSON.parse(message.body), let name = json["db"]?.string else { return (400, nil) }
            let hours = json["retention_period"]?.string.flatMap { Int64($0.dropLast()) } ?? 0
            lock.withLock { retention[name] = hours }
            return (200, nil)
        default: return (404, ["error": "not found"])
        }
    }

    private func bucket(_ name: String, _ seconds: Int64) -> JSON {
        [
            "id": .string(name), "name": .string(name),
            "retentionRules": [["type": "expire", "everySeconds": JSON(seconds)]],
        ]
    }
}
