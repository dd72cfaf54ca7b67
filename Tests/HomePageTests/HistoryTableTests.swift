import Heating
import Testing

@testable import HomePage

@Suite struct HistoryTableTests {
    @Test func `a row for each step that has anything, empty where nothing is known`() throws {
        let history = try JSON.parse(
            Array(
                #"""
                {"start": 1790000000, "step": 3600, "count": 3, "rooms": [{"room": "office", "temperature": [20.5, null, null],
                "low": [20, null, null], "high": [21.25, null, null], "pump": [0.255, null, 1], "starts": [2, null, 0]}]}
                """#.utf8))
        #expect(
            HistoryTable.csv(history).split(separator: "\r\n") == [
                "time,room,mean,lowest,highest,pump_on_percent,starts",
                #"2026-09-21T14:13:20Z,"office",20.5,20,21.25,25.5,2"#, #"2026-09-21T16:13:20Z,"office",,,,100.0,0"#,
            ])
    }

    @Test func `the temperature outdoors is the last column, where there is one`() {
        let history: JSON = [
            "start": 0, "step": 60,
            "rooms": [["room": "office", "temperature": [1.5, 2, .null], "pump": [0.5, 0, .null]]],
            "outdoor": ["room": "garden", "measure": "outdoor", "temperature": [-3.25, .null, 4]],
        ]
        #expect(
            HistoryTable.csv(history).split(separator: "\r\n") == [
                "time,room,mean,lowest,highest,pump_on_percent,starts,outdoor",
                #"1970-01-01T00:00:00Z,"office",1.5,,,50.0,,-3.25"#, #"1970-01-01T00:01:00Z,"office",2,,,0.0,,"#,
            ])
    }

    @Test(arguments: [
        (#"a"b"#, #""a""b""#), ("=1+1", "\"'=1+1\""), ("@x", "\"'@x\""), ("a\r\nb", #""a\u{d}\u{a}b""#),
    ])
    func `no name breaks a row or becomes a formula`(name: String, cell: String) {
        let history: JSON = ["start": 0, "step": 60, "rooms": [["room": .string(name), "temperature": [1.5]]]]
        #expect(HistoryTable.csv(history).split(separator: "\r\n").last == "1970-01-01T00:00:00Z,\(cell),1.5,,,,")
    }

    @Test func `only the spans that there are`() {
        #expect(HistoryTable.span("span=week") == "week" && HistoryTable.span("span=year&x=1") == nil)
        #expect(HistoryTable.span("") == nil)
    }
}
