import Heating
import SimulationModel
import Testing

@testable import Influx

/// Answers of InfluxDB 3, https://docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp/.
@Suite struct DispositionOfVersion3Tests {
    private func disposition(_ status: Int, _ body: String) -> Disposition {
        Disposition(status: status, body: Array(body.utf8), headers: [:], now: Timestamp(nanoseconds: 0))
    }

    @Test func aConflictOfOneLineIsItsOwn() {
        let body = #"""
            {"error":"partial write of line protocol occurred","data":[{"original_line":"home,room=Sunroom temp=\"hi\" 1735549200",
            "line_number":2,"error_message":"invalid column type for column 'temp', expected iox::column_type::field::float"}]}
            """#
        guard case .refused(.typeConflict, let reason, .unknown) = disposition(400, body) else {
            Issue.record("\(disposition(400, body))")
            return
        }
        #expect(reason.contains("invalid column type"))
    }

    @Test func aLineThatCannotBeReadIsItsOwn() {
        let body = #"""
            {"error":"parsing failed for write_lp endpoint","data":{"original_line":"x","line_number":1,
            "error_message":"Could not parse entire line. Found trailing content: 'x'"}}
            """#
        guard case .refused(.unparsable, _, .unknown) = disposition(400, body) else {
            Issue.record("\(disposition(400, body))")
            return
        }
    }

    @Test func anAbsentDatabaseOrTokenHoldsTheData() {
        for (status, body) in [
            (401, #"{"error":"the request was not authenticated"}"#), (404, #"{"error":"database not found"}"#),
        ] {
            guard case .hold = disposition(status, body) else {
                Issue.record("\(disposition(status, body))")
                continue
            }
        }
    }
}

/// Every row of the two APIs' references, with bodies as servers of both generations send them.
@Suite struct DispositionTests {
    enum Expected: Sendable, Equatable {
        case stored, retry, retryAfter(Int), tooLarge, refused, unclear, hold
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var status: Int
        var body: String
        var headers: [String: String]
        var expected: Expected
        var testDescription: String { "\(status) \(body.prefix(60)) \(headers)" }

        init(_ status: Int, _ body: String, _ headers: [String: String], _ expected: Expected) {
            (self.status, self.body, self.headers, self.expected) = (status, body, headers, expected)
        }

        init(_ status: Int, _ body: String, _ expected: Expected) { self.init(status, body, [:], expected) }
    }

    private static func v2(_ code: String, _ message: String) -> String {
        "{\"code\":\"\(code)\",\"message\":\"\(message)\"}"
    }

    static let now = Timestamp(nanoseconds: 784_111_777_000_000_000)  // Sun, 06 Nov 1994 08:49:37 GMT

    static let rows: [Row] = [
        Row(204, "", .stored),
        // malformed
        Row(400, "{\"error\":\"unable to parse 'm,a f=': missing field value\"}", .refused),
        Row(400, v2("invalid", "unable to parse 'm': missing fields"), .refused),
        Row(400, "", .hold),
        Row(422, "", .hold),
        // words that are not known: about some lines, or about all there is
        Row(400, v2("invalid", "something new"), .unclear),
        Row(422, v2("unprocessable entity", "partial write: something new dropped=1"), .unclear),
        Row(400, "something new", ["x-influxdb-error": "something new"], .unclear),
        Row(400, "something new", .hold),
        Row(400, "{\"error\":\"max key length exceeded: 70000 > 65535\"}", .refused),
        // partial, in every status that was seen
        Row(
            400,
            "{\"error\":\"partial write: field type conflict: input field \\\"value\\\" "
                + "on measurement \\\"m\\\" is type "
                + "string, already exists as type float dropped=1\"}", .refused),
        Row(400, "{\"error\":\"partial write: points beyond retention policy dropped=3\"}", .refused),
        Row(
            422,
            v2(
                "unprocessable entity",
                "failure writing points to database: partial write: points beyond retention policy dropped=2"), .refused
        ),
        Row(
            500,
            v2(
                "internal error",
                "unexpected error writing points to database: partial write: points beyond retention policy dropped=1"),
            .refused),
        Row(500, "partial write: dropped=1", .hold),
        Row(503, "{\"error\":\"partial write: x dropped=1\"}", .hold),
        Row(403, "{\"error\":\"partial write: points beyond retention policy dropped=1\"}", .refused),
        Row(500, "{\"error\":\"field type conflict\"}", .refused),
        Row(500, v2("internal error", "points beyond retention policy"), .refused),
        Row(500, v2("internal error", "unable to parse points"), .refused),
        Row(
            422,
            v2(
                "unprocessable entity",
                "failure writing points to database: partial write: dropped 1 points "
                    + "outside retention policy of duration 1h0m0s - oldest point m at 2020 dropped=1"), .refused),
        // 2.7 names points without quotes: a room's name says nothing about the server
        Row(
            422,
            v2(
                "unprocessable entity",
                "failure writing points to database: partial write: dropped 2 points outside retention policy of duration "
                    + "1h0m0s - oldest point raw_temperature,home=h,room=disk\\\\ limit at 1970-01-01T00:00:01.541Z dropped "
                    + "because it violates a Retention Policy Lower Bound at 2025-05-20T19:06:17.612973Z, newest point "
                    + "raw_temperature,home=quota,room=\\\"a at 1970-01-01T00:00:02Z dropped because it violates a Retention "
                    + "Policy Lower Bound at 2025-05-20T19:06:17.612973Z dropped=2 for database: 9f282d63c7d3a5c0 for "
                    + "retention policy: autogen"), .refused),
        // "I cannot now", told as a partial write: nothing is wrong with the lines
        Row(
            400,
            "{\"error\":\"partial write: engine: error writing WAL entry: write /wal: no space left on device dropped=1\"}",
            .hold),
        Row(400, "{\"error\":\"partial write: No Space Left On Device dropped=5\"}", .hold),
        Row(400, "{\"error\":\"partial write: max-series-per-database limit exceeded: (1) dropped=3\"}", .hold),
        Row(
            400,
            "{\"error\":\"partial write: max-values-per-tag limit exceeded (2/2): measurement=\\\"m\\\" "
                + "tag=\\\"room\\\" value=\\\"beyond retention field type conflict\\\" dropped=1\"}", .hold),
        Row(
            422,
            v2(
                "unprocessable entity",
                "failure writing points to database: partial write: "
                    + "max-fields limit exceeded dropped=4"), .hold),
        Row(403, v2("forbidden", "org has exceeded its storage quota"), .hold),
        Row(422, v2("unprocessable entity", "partial write: disk quota exceeded"), .hold),
        // quoted names and lines say nothing
        Row(
            400, "{\"error\":\"unable to parse 'm,room=no\\\\ space\\\\ left limit quota': missing fields\"}", .refused),
        // access: the text of 1.x contains "unable to parse" and is not about the data
        Row(401, "{\"error\":\"unable to parse authentication credentials\"}", .hold),
        Row(401, "{\"error\":\"authorization failed\"}", .hold),
        Row(401, v2("unauthorized", "unauthorized access"), .hold),
        Row(403, v2("forbidden", "insufficient permissions for write"), .hold),
        // missing target
        Row(404, "{\"error\":\"database not found: \\\"raw\\\"\"}", .hold),
        Row(404, v2("not found", "bucket \\\"raw\\\" not found"), .hold),
        Row(404, "404 page not found", .hold),
        Row(400, v2("invalid", "organization name \\\"x\\\" not found"), .hold),
        Row(400, v2("invalid", "Please provide either orgID or org"), .hold),
        Row(400, v2("invalid", "invalid precision; valid precision units are ns, us, ms, and s"), .hold),
        Row(400, "{\"error\":\"database is required\"}", .hold),
        Row(500, "{\"error\":\"retention policy not found: x\"}", .hold),
        Row(400, "Client sent an HTTP request to an HTTPS server.\n", .hold),
        Row(400, "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>", .hold),
        // too big
        Row(413, "{\"error\":\"Request Entity Too Large\"}", .tooLarge),
        Row(413, v2("request too large", "unable to read data: points batch is too large"), .tooLarge),
        Row(413, "<html>413 Request Entity Too Large</html>", .tooLarge),
        // throttled or overloaded
        Row(
            429, v2("too many requests", "org x has exceeded limited_write plan limit"), ["retry-after": "30"],
            .retryAfter(30)),
        Row(429, "", .retry),
        Row(503, "", ["retry-after": "7"], .retryAfter(7)),
        Row(503, "", ["retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"], .retryAfter(30)),
        Row(503, "", ["retry-after": "Sunday, 06-Nov-94 08:50:07 GMT"], .retryAfter(30)),
        Row(503, "", ["retry-after": "Sun Nov  6 08:50:07 1994"], .retryAfter(30)),
        Row(503, "", ["retry-after": "Sun, 06 Nov 1994 08:00:00 GMT"], .retryAfter(0)),
        Row(503, "", ["retry-after": "soon"], .retry),
        Row(503, "", ["retry-after": "-5"], .retry),
        Row(503, "", ["retry-after": "99999999999999999999"], .retryAfter(900)),
        Row(503, "", ["retry-after": "Fri, 06 Nov 2099 08:49:37 GMT"], .retryAfter(900)),
        // the server's own trouble
        Row(500, "{\"error\":\"timeout\"}", .retry),
        Row(500, v2("internal error", "unexpected error writing points to database: timeout"), .retry),
        Row(500, "{\"error\":\"engine: error writing WAL entry: write: no space left on device\"}", .hold),
        Row(502, "<html>Bad Gateway</html>", .retry),
        Row(504, "", .retry),
        Row(507, "", .retry),
        Row(408, "", .retry),
        // not an InfluxDB: nothing was stored, whatever it says
        Row(200, "<html>Welcome to the hotel</html>", .hold),
        Row(202, "", .hold),
        Row(301, "", .hold),
        Row(307, "", .hold),
        Row(405, v2("method not allowed", "allow: GET"), .hold),
        Row(410, "", .hold),
        Row(415, "", .hold),
    ]

    @Test(arguments: rows) func classifies(_ row: Row) {
        let actual = Disposition(status: row.status, body: Array(row.body.utf8), headers: row.headers, now: Self.now)
        switch actual {
        case .stored: #expect(row.expected == .stored)
        case .retry(_, nil): #expect(row.expected == .retry)
        case .retry(_, let after?): #expect(row.expected == .retryAfter(Int(after.components.seconds)))
        case .tooLarge: #expect(row.expected == .tooLarge)
        case .refused: #expect(row.expected == .refused)
        case .unclear: #expect(row.expected == .unclear)
        case .hold: #expect(row.expected == .hold)
        }
    }

    private func disposition(_ status: Int, _ body: String, _ headers: [String: String] = [:]) -> Disposition {
        Disposition(status: status, body: Array(body.utf8), headers: headers, now: Self.now)
    }

    @Test func givesTheServersSentenceAsTheReason() {
        #expect(
            disposition(400, "{\"error\":\"partial write: points beyond retention policy dropped=3\"}")
                == .refused(
                    .beyondRetention, reason: "partial write: points beyond retention policy dropped=3",
                    dropped: .points(3)))
        #expect(
            disposition(422, Self.v2("unprocessable entity", "x: partial write: field type conflict dropped=2"))
                == .refused(
                    .typeConflict, reason: "x: partial write: field type conflict dropped=2", dropped: .fields(2)))
        #expect(
            disposition(400, "not json", ["x-influxdb-error": "unable to parse 'x'"])
                == .refused(.unparsable, reason: "unable to parse 'x'", dropped: .unknown))
        #expect(disposition(503, "busy") == .retry(reason: "HTTP 503: busy", after: nil))
        #expect(disposition(502, "") == .retry(reason: "HTTP 502", after: nil))
    }

    @Test func shortensAQuoteOfAllLinesAtBothEnds() throws {
        let lines = String(repeating: "unable to parse 'm': missing fields\\n", count: 5_000)
        guard
            case .refused(_, let reason, let dropped) = disposition(
                400, "{\"error\":\"partial write: \(lines) dropped=0\"}")
        else { throw TestFailure("not refused") }
        #expect(reason.utf8.count <= 1024 && reason.hasPrefix("partial write: unable to parse"))
        #expect(dropped == .fields(0))
    }

    /// A count below the number of lines proves nothing, since one shard of several answers for all.
    @Test func takesACountForAllOnlyWhenItIsNotSmaller() {
        #expect(Disposition.Dropped.points(5).coversAll(lines: 5, fields: 9))
        #expect(!Disposition.Dropped.points(4).coversAll(lines: 5, fields: 5))
        #expect(!Disposition.Dropped.fields(5).coversAll(lines: 5, fields: 9))
        #expect(Disposition.Dropped.fields(9).coversAll(lines: 5, fields: 9))
        #expect(!Disposition.Dropped.unknown.coversAll(lines: 1, fields: 1))
    }

    @Test func anyBytesGetADisposition() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5_000 {
            let body = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
            let header = String(decoding: body, as: UTF8.self)
            let status = Int.random(in: 0...999, using: &random)
            let answer = Disposition(status: status, body: body, headers: ["retry-after": header], now: Self.now)
            #expect((answer == .stored) == (status == 204), "seed \(seed)")
        }
    }
}
