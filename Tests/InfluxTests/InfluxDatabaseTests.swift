import Foundation
import Heating
import SimulationModel
import TestSupport
import Testing

@testable import Influx

/// The writer against a real InfluxDB 1.x. Skipped by name where it is not installed.
@Suite(
    .serialized, .enabled(if: InfluxDatabase.executable != nil, "influxd (Debian package influxdb) is not installed"))
struct InfluxDatabaseTests {
    /// A point in the past that every retention policy here still keeps.
    private static let start = Int64(Date().timeIntervalSince1970) * 1_000_000_000 - 1_000_000_000_000

    private func writer(_ database: InfluxDatabase, _ name: String = "raw") throws -> InfluxWriter {
        try InfluxWriter(settings(database, name))
    }

    private func settings(_ database: InfluxDatabase, _ name: String = "raw") -> InfluxSettings {
        var settings = InfluxSettings.fast(url: database.url)
        settings.target = .v1(database: name)
        return settings
    }

    private func readings(_ count: Int, from start: Int64 = start) -> [Point] {
        (0..<count).map { reading(series: $0 % 25, time: start + Int64($0) * 1_000_000) }
    }

    @Test func everyEncodedPointReadsBackFromTheDatabase() throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw")
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        // One measurement each, so that no two share a field type or overwrite each other.
        let points = (0..<600).map { index in
            var point = Point.arbitrary(using: &random)
            point.measurement = "\(index) " + point.measurement
            point.time = Self.start + Int64(index)
            // A tag and a field of one name would be renamed by the query.
            point.fields = point.fields.map { ("f" + $0.0, $0.1) }
            point.tags = point.tags.map { ("t" + $0.0, $0.1) }
            return point
        }
        let result = try writer(database).write(points)
        let refusedByServer = result.rejected.filter { $0.reason.contains("unable to parse") }
        #expect(refusedByServer == [], "seed \(seed)")
        let rejected = Set(result.rejected.map(\.index))
        for (index, point) in points.enumerated() where !rejected.contains(index) {
            let answer = try database.answer("SELECT * FROM /^\(index) / GROUP BY *", database: "raw")
            let series = answer["results"]?[0]?["series"]?.array ?? []
            try #require(series.count == 1, "seed \(seed): \(point)")
            var expected = point.parsed
            expected.tagKeys = []
            let found = try ParsedPoint(series: series[0], like: point)
            try #require(found == expected, "seed \(seed): \(point)")
        }
        // Many of these names cannot be written; a limit of 400 was passed by chance in one run of 150 (401).
        #expect(rejected.count < 480, "seed \(seed)")
    }

    @Test func aPartialWriteLosesNothingButTheConflictingPoint() throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw")
        let writer = try writer(database)
        try writer.write(readings(100))
        var points = readings(5_000, from: Self.start + 1_000_000_000)
        points[3_210].fields = [("value", .string("warm"))]
        let result = try writer.write(points)
        #expect(result.stored == 4_999)
        #expect(result.rejected.map(\.index) == [3_210])
        #expect(result.rejected.first?.reason.contains("field type conflict") == true)
        #expect(try database.count("raw_temperature", database: "raw") == 5_099)
    }

    @Test func pointsBeyondTheRetentionAreRejectedAndTheOthersStored() throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw WITH DURATION 1d")
        let writer = try writer(database)
        let old = Self.start - 30 * 86_400 * 1_000_000_000
        let mixed = try writer.write(readings(700, from: old) + readings(800))
        #expect(mixed.stored == 800)
        #expect(Set(mixed.rejected.map(\.index)) == Set(0..<700))
        #expect(mixed.rejected.allSatisfy { $0.reason.contains("beyond retention") })
        #expect(try database.count("raw_temperature", database: "raw") == 800)
        // A whole backlog that is too old must not become a request per point.
        let before = writer.status.requests
        #expect(try writer.write(readings(5_000, from: old)).rejected.count == 5_000)
        #expect(writer.status.requests - before <= 2)
    }

    @Test(arguments: [0, 1, 9]) func bodiesOfAnyCompressionAreStored(_ level: Int) throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw")
        var settings = settings(database)
        settings.compressionLevel = level
        let writer = try InfluxWriter(settings)
        #expect(try writer.write(readings(7_000)).stored == 7_000)
        #expect(try database.count("raw_temperature", database: "raw") == 7_000)
        #expect((writer.status.bytesSent < 7_000 * 40) == (level > 0))
    }

    @Test func writingAgainChangesNothing() throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw")
        let points = readings(3_000)
        for _ in 0..<3 { #expect(try writer(database).write(points).stored == 3_000) }
        #expect(try database.count("raw_temperature", database: "raw") == 3_000)
        let rows = try database.query(
            "SELECT value FROM raw_temperature WHERE \"home\" = 'home0' AND room = 'room 3'", database: "raw")
        let expected = points.enumerated().filter { $0.offset % 25 == 3 }.map { $0.element }
        #expect(rows.map { $0[0].int } == expected.map(\.time))
        for (row, point) in zip(rows, expected) {
            guard case .float(let value) = point.fields[0].1 else { continue }
            #expect(row[1].double?.bitPattern == value.bitPattern)
        }
    }

    @Test func everyPointIsThereAfterTheDatabaseWasKilledInTheMiddle() throws {
        let database = try InfluxDatabase()
        try database.query("CREATE DATABASE raw")
        var settings = settings(database)
        settings.maxLines = 200
        let writer = try InfluxWriter(settings)
        let points = readings(40_000)
        let results = Collected<WriteResult>()
        Thread.detachNewThread {
            if let result = try? writer.write(points) { results.append(result) }
        }
        for round in 1...3 {
            let goal = writer.status.pointsWritten + 1_000
            try waitUntil("progress in round \(round)") {
                writer.status.pointsWritten > goal || !results.values.isEmpty
            }
            database.killHard()
            try database.start()
        }
        try waitUntil("the batch is done", within: 60) { !results.values.isEmpty }
        #expect(results.values == [WriteResult(stored: 40_000, rejected: [])])
        #expect(writer.status.retries > 0)
        let count = try database.count("raw_temperature", database: "raw")
        #expect(count == 40_000)
    }

    @Test func holdsTheDataUntilTheDatabaseIsCreated() throws {
        let database = try InfluxDatabase()
        let writer = try writer(database)
        let ticket = try writer.submit(readings(100))
        try waitUntil("an alarm") { writer.status.alarm?.contains("database not found") == true }
        #expect(writer.status.pointsRejected == 0)
        #expect(try InfluxAdmin(settings(database)).prepareTarget(retention: .seconds(86_400)) == .created)
        #expect(try writer.wait(ticket) == WriteResult(stored: 100, rejected: []))
        #expect(writer.status.alarm == nil)
    }

    @Test func usesTheCredentialsAndHoldsTheDataWithoutThem() throws {
        let database = try InfluxDatabase(requiresLogin: true)
        try database.query("CREATE USER hearth WITH PASSWORD 'p:a s&s' WITH ALL PRIVILEGES")
        var settings = settings(database)
        for (username, password) in [(nil, nil), ("hearth", "wrong")] as [(String?, String?)] {
            settings.target = .v1(database: "raw", username: username, password: password)
            let writer = try InfluxWriter(settings)
            _ = try writer.submit(readings(1))
            try waitUntil("an alarm for \(username ?? "nobody")") { writer.status.alarm != nil }
            #expect(writer.status.pointsRejected == 0)
            writer.stop()
            #expect(throws: InfluxError.self) { try InfluxAdmin(settings).prepareTarget(retention: nil) }
        }
        settings.target = .v1(database: "raw", username: "hearth", password: "p:a s&s")
        #expect(try InfluxAdmin(settings).prepareTarget(retention: nil) == .created)
        #expect(try InfluxWriter(settings).write(readings(1)).stored == 1)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is not installed"))
    func trustsOnlyTheGivenAuthorityAndHoldsTheDataOtherwise() throws {
        let database = try InfluxDatabase(usesTLS: true)
        var settings = settings(database)
        let mistakes: [(url: String, caFile: String?)] = [
            (database.url, nil), (database.url, "/nonexistent"),
            (database.url.replacingOccurrences(of: "https", with: "http"), nil),
        ]
        for mistake in mistakes {
            (settings.url, settings.caFile) = mistake
            let writer = try InfluxWriter(settings)
            _ = try writer.submit(readings(1))
            try waitUntil("an alarm for \(mistake)") { writer.status.alarm != nil }
            #expect(writer.status.pointsRejected == 0)
            writer.stop()
        }
        (settings.url, settings.caFile) = (database.url, database.certificate)
        #expect(try InfluxAdmin(settings).prepareTarget(retention: nil) == .created)
        #expect(try InfluxWriter(settings).write(readings(100)).stored == 100)
    }

    @Test func createsADatabaseOnceAndTellsItsRetention() throws {
        let database = try InfluxDatabase()
        func admin(_ name: String, _ policy: String? = nil) -> InfluxAdmin {
            var settings = settings(database)
            settings.target = .v1(database: name, retentionPolicy: policy)
            return InfluxAdmin(settings)
        }
        try admin("raw").ping()
        let odd = "a \"b\" c"
        for name in ["raw", odd] {
            #expect(try admin(name).prepareTarget(retention: .seconds(30 * 86_400)) == .created)
            #expect(
                try admin(name).prepareTarget(retention: .seconds(7 * 86_400))
                    == .existed(retention: .seconds(30 * 86_400)))
        }
        #expect(try admin("for ever").prepareTarget(retention: nil) == .created)
        #expect(try admin("for ever").prepareTarget(retention: nil) == .existed(retention: nil))
        #expect(try admin("raw", "year").prepareTarget(retention: .seconds(365 * 86_400)) == .created)
        #expect(
            try admin("raw", "year").prepareTarget(retention: nil) == .existed(retention: .seconds(365 * 86_400)))
        #expect(throws: InfluxError.self) { try admin("short").prepareTarget(retention: .seconds(60)) }
        #expect(throws: InfluxError.self) { try admin("a\nb").prepareTarget(retention: nil) }
        let names = try database.query("SHOW DATABASES").compactMap { $0[0].string }
        #expect(Set(names) == ["raw", odd, "for ever"])
    }
}

extension ParsedPoint {
    /// One series with one row, as `/query` returns it; the types of the fields are those of `model`.
    fileprivate init(series: JSON, like model: Point) throws {
        let row = try #require(series["values"]?[0]?.array)
        let columns = (series["columns"]?.array ?? []).compactMap(\.string)
        try #require(series["values"]?.array?.count == 1 && row.count == columns.count)
        var fields: [String: ParsedValue] = [:]
        for (name, value) in zip(columns, row).dropFirst() {
            switch (value, model.fields.first { $0.0.utf8.elementsEqual(name.utf8) }?.1) {
            case (.string(let text), _): fields[name] = .string(text)
            case (.bool(let flag), _): fields[name] = .boolean(flag)
            case (.number(let text), .integer): fields[name] = .integer(try #require(Int64(text)))
            case (.number(let text), _): fields[name] = .float(try #require(Double(text)).bitPattern)
            default: throw TestFailure("a field of another type: \(name) \(value)")
            }
        }
        let tags = (series["tags"]?.object?.members ?? []).filter { $0.value.string?.isEmpty == false }
        self.init(
            measurement: try #require(series["name"]?.string),
            tags: Dictionary(tags.map { ($0.key, $0.value.string ?? "") }) { $1 }, tagKeys: [], fields: fields,
            time: try #require(row[0].int))
    }
}
