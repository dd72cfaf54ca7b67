import GatewayClient
import Heating
import Testing

@testable import hearth

@Suite struct AuditResultTests {
    private func part(
        _ first: Int, _ through: Int, confirmed: Int, settled: Int?, missing: String = "[]", above: String = "[]",
        lost: String = "[]", dropped: Int = 0, epoch: String = "e"
    ) throws -> JSON {
        try JSON.parse(
            """
            {"epoch":"\(epoch)","confirm":"ingestor","first":\(first),"scannedThrough":\(through),
             "settledThrough":\(settled.map(String.init) ?? "null"),"newest":\(through),"records":\(through - first + 1),
             "missing":\(missing),"more":false,"confirmedThrough":\(confirmed),"confirmedAbove":\(above),
             "lost":\(lost),"dropped":\(dropped),"quarantined":0}
            """)
    }

    private func audit(_ parts: JSON...) -> AuditResult {
        var result = AuditResult(sinceSeconds: 86_400)
        for part in parts { #expect(result.add(part) != nil) }
        return result
    }

    @Test func `everything confirmed: gap none`() throws {
        let result = audit(
            try part(1, 2048, confirmed: 4000, settled: 2048), try part(2049, 4000, confirmed: 4000, settled: 3990))
        #expect(result.gaps.isEmpty)
        #expect(
            result.lines(width: 80, style: .plain).text == """
                Journal    4 000 records of the last 1 d, sequences 1 to 4 000
                Cloud      4 000 confirmed by the ingestor: the event log has them
                gap: none
                """)
    }

    @Test func `what waits is named exactly, without what arrived just now and what was confirmed out of order`() throws
    {
        let result = audit(try part(1, 100, confirmed: 40, settled: 90, above: "[[51,60]]"))
        #expect(result.gaps == [.init(range: 41...50, kind: .waiting), .init(range: 61...90, kind: .waiting)])
        #expect(result.lines(width: 80, style: .plain).last?.hasPrefix("gap: 61-90 (30 records waiting") == true)
    }

    @Test func `what the journal lost is a gap although the cursor has passed it`() throws {
        let result = audit(
            try part(1, 100, confirmed: 100, settled: 100, missing: "[[7,7],[20,29]]", lost: "[[25,29]]", dropped: 5))
        #expect(result.gaps == [.init(range: 7...7, kind: .lost), .init(range: 20...29, kind: .lost)])
        #expect(result.lines(width: 80, style: .plain).contains { $0.hasPrefix("gap: 7 (1 record lost") })
        #expect(result.json["confirmed"]?.int == 89)
    }

    @Test func `what was dropped lies before what is kept, and is told all the same`() throws {
        let result = audit(try part(501, 600, confirmed: 600, settled: 600, lost: "[[301,500]]", dropped: 200))
        #expect(result.gaps == [.init(range: 301...500, kind: .lost)])
        let lines = result.lines(width: 80, style: .plain)
        #expect(lines.contains { $0.hasPrefix("Dropped    200 records since the journal was made") })
    }

    @Test func `in a later part nothing may be settled; the earlier word stands`() throws {
        let result = audit(try part(1, 10, confirmed: 0, settled: 4), try part(11, 20, confirmed: 0, settled: nil))
        #expect(result.gaps == [.init(range: 1...4, kind: .waiting)])
    }

    @Test func `a journal that was replaced in between is audited by its own sequences only`() throws {
        let result = audit(
            try part(1, 10, confirmed: 0, settled: 10), try part(1, 5, confirmed: 5, settled: 5, epoch: "f"))
        #expect(result.gaps.isEmpty && result.json["records"]?.int == 5)
    }

    private func told(_ account: String, earlier: Int = 100) throws -> JSON {
        guard case .object(var part) = try part(1, 100, confirmed: 100, settled: 100) else { return .null }
        part["account"] = try JSON.parse(account)
        part["confirmedEarlier"] = JSON(earlier)
        return .object(part)
    }

    @Test func `gap none means points`() throws {
        let result = audit(try told(#"{"toldFrom":1,"points":[[1,100]]}"#))
        #expect(result.gaps.isEmpty && result.json["stored"]?.int == 100)
        #expect(
            result.lines(width: 80, style: .plain).suffix(2) == [
                "Database   100 are points, as the cloud tells", "gap: none",
            ])
    }

    @Test func `what was confirmed and is no point is told apart`() throws {
        let result = audit(
            try told(
                #"{"toldFrom":11,"points":[[11,50],[61,80]],"deadLetters":[[51,52]],"held":[[53,55]],"overwritten":[[56,56]]}"#,
                earlier: 90))
        #expect(
            result.gaps == [
                .init(range: 1...10, kind: .untold), .init(range: 51...52, kind: .deadLetter),
                .init(range: 53...55, kind: .held), .init(range: 56...56, kind: .overwritten),
                .init(range: 57...60, kind: .neverArrived), .init(range: 81...90, kind: .untold),
            ], "the log is read in order: what P1 has not come to is not gone. 91 to 100 were confirmed a moment ago")
        #expect(result.json["gaps"]?[1]?["kind"]?.string == "deadLetter")
    }

    @Test func `a cloud that says nothing is no cloud that has everything`() throws {
        let result = audit(try told("null"))
        #expect(result.gaps == [.init(range: 1...100, kind: .untold)])
        let text = result.lines(width: 200, style: .plain).joined(separator: "\n")
        #expect(text.contains("gateway/stored") && text.contains("MQTT_HOST") && !text.contains("gap: none"))
        #expect(audit(try told("null", earlier: 0)).gaps.isEmpty, "it has had no time to say anything")
    }

    @Test func `something else than a part is refused, and nothing at all is no gap`() throws {
        var result = AuditResult(sinceSeconds: 3600)
        #expect(result.add(["epoch": "e"]) == nil)
        #expect(result.lines(width: 80, style: .plain) == ["Nothing was recorded in the last 1 h.", "gap: none"])
    }
}
