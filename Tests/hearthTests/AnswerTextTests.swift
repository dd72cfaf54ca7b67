import GatewayClient
import Heating
import Testing

@testable import hearth

@Suite struct AnswerTextTests {
    @Test func `the journal at 80 columns`() throws {
        let report = JournalReport(try parsed(journalReply))
        var status = try status(troubledStatus)
        status.links[2].state = .connected
        let text = JournalText(report: report, status: status, width: 80, style: .plain)
        #expect(
            text.lines().text == """
                File       /var/lib/hearth/journal.sqlite
                Backlog    41 233 readings, oldest 38 min 10 s; 18/s, done in 37 min 46 s
                Kept       records 1 100 000 to 1 241 233, confirmed up to 1 200 000
                Size       1.2 MiB used of 512 MiB; on disk: file 4 MiB, log 64 KiB
                Commits    912 345 since start (12 005/hour), the last took 1.8 ms
                Dropped    1 204 readings because the journal was full
                Damaged    1 row quarantined: wrong checksum
                Set aside  4 messages: not_json 3, bad_value 1
                Epoch      5f0e0b2c9d

                SET ASIDE       TOPIC               REASON     MESSAGE
                1 min 15 s ago  office/temperature  not_json   hello \\u{1B}[2Jworld
                2 h 13 min ago  cellar/temperature  bad_value  {"timestamp":"2026-11-23T10:00:00
                                                               ","value":"warm"}
                """)
    }

    @Test func `a journal that is not open says what happens meanwhile`() throws {
        let text = JournalText(
            report: JournalReport(try parsed(#"{"journal":null,"setAside":[]}"#)), status: try status("{}"), width: 80,
            style: .plain)
        #expect(text.lines().first?.hasPrefix("The journal is not open. Readings wait in the home broker.") == true)
    }

    @Test func `doctor puts what to do below what was found`() {
        let checks = [
            DoctorCheck("clock", .ok, "synchronised"),
            DoctorCheck("disk", .warning, "3 % free", advice: "remove what is not needed from /var"),
            DoctorCheck("configuration", .error, "not valid\nline 4: unknown key", advice: "correct the file"),
        ]
        #expect(
            checkLines(checks, width: 60, style: .plain).text == """
                ok       clock: synchronised
                warning  disk: 3 % free
                         what to do: remove what is not needed from /var
                error    configuration: not valid
                         line 4: unknown key
                         what to do: correct the file
                """)
        #expect(checkSummary(checks) == "1 error, 1 warning in 3 checks.")
        #expect(checkSummary([checks[0]]) == "All 1 check passed.")
    }

    @Test func `a state of a newer daemon counts as a warning`() throws {
        #expect(DoctorCheck(try parsed(#"{"name":"x","state":"odd","detail":"y"}"#)).state == .warning)
    }

    @Test func `why shows the present and the commands before it`() throws {
        let room = try status(troubledStatus).rooms[3]
        let decisions = try parsed(
            """
            [{"time":"2026-11-23T10:00:00Z","pump":"on","reason":"override on by cli"},
             {"time":"2026-11-23T08:00:00Z","pump":"off","reason":"25.3 is above 25.0"}]
            """
        ).array?.map(Decision.init)
        let alarm = Alarm([
            "name": "pump-not-responding", "room": "office", "text": "office fell", "advice": "check it",
        ])
        let lines = whyLines(
            room: room, alarms: [alarm], decisions: decisions ?? [], width: 80, style: .plain,
            now: localTime(hour: 10, minute: 0), clock: { "<\($0)>" })
        #expect(
            lines.text == """
                office: 19.4 °C, pump on for 34 s: switched on at a terminal until 11:40, in 1 h
                40 min; waits 3 min 20 s for the compressor; alarm: office fell
                what to do: check it
                starts below 19.0 °C, stops above 25.0 °C

                TIME                    PUMP  WHY
                <2026-11-23T10:00:00Z>  on    override on by cli
                <2026-11-23T08:00:00Z>  off   25.3 is above 25.0
                """)
    }

    @Test func `why shows what the room's heat pump and valve say of themselves`() throws {
        let room = RoomStatus(
            try parsed(
                """
                {"room":"office","device":{"name":"main","available":true,"says":"on","confirmed":true,"watts":911.7},
                 "valve":{"name":"office","available":null,"says":"off","confirmed":null,"watts":null}}
                """))
        let lines = whyLines(room: room, decisions: [], width: 80, style: .plain, clock: { $0 })
        #expect(lines.contains("heat pump main: runs, 912 W") && lines.contains("valve: closed"))
        let silent = DeviceStatus(["name": "main", "available": false, "says": "on", "confirmed": false])
        #expect(silent.text((on: "runs", off: "rests")) == "not reachable")
        #expect(DeviceStatus(["name": "main"]).text((on: "runs", off: "rests")).isEmpty)
    }

    @Test func `an override says when it ends`() throws {
        let reply = OverrideReply(try parsed(#"{"room":"office","pump":"on","secondsLeft":7200}"#))
        #expect(
            overrideText(reply, end: "14:00") == "office: switched on until 14:00, for 2 h, then automatic again")
        let hold = OverrideReply(try parsed(#"{"room":"office","pump":"21.5","secondsLeft":7200}"#))
        #expect(
            overrideText(hold, end: "14:00") == "office: holds 21.5 °C until 14:00, for 2 h, then automatic again")
        let auto = OverrideReply(try parsed(#"{"room":"office","pump":"auto","secondsLeft":null}"#))
        #expect(overrideText(auto, end: nil) == "office: automatic again, heated by its temperature")
    }

    @Test func `a room that does not exist brings the nearest to mind`() {
        let problem = noSuchRoom("ofice", rooms: ["bedroom", "office"])
        #expect(problem.text == "there is no room 'ofice'; did you mean 'office'?")
        #expect(problem.advice == "choose from bedroom, office")
        #expect(noSuchRoom("attic", rooms: ["bedroom"]).text == "there is no room 'attic'")
    }
}

@Suite struct WatchLogTests {
    @Test func `the first status names everything, the next only what changed`() throws {
        var log = WatchLog()
        let first = log.lines(for: try status(healthyStatus), at: "T1")
        #expect(
            first.text == """
                T1 room office: 22.0 °C, pump on (19.4 is below 20.0)
                T1 link control: connected
                T1 link record: connected
                T1 link uplink: connected
                T1 backlog: none, the cloud has confirmed everything
                """)
        #expect(log.lines(for: try status(healthyStatus), at: "T2").isEmpty)
        var changed = try status(healthyStatus)
        changed.rooms[0].readingAgeSeconds = 1.9
        changed.links[2].seconds = 125
        #expect(log.lines(for: changed, at: "T3").isEmpty, "ages are no news")
        changed.rooms[0].isPumpOn = false
        changed.rooms[0].reason = "25.1 is above 25.0"
        changed.links[2].state = .waiting
        changed.links[2].detail = "connection refused"
        #expect(
            log.lines(for: changed, at: "T4") == [
                "T4 room office: 22.0 °C, pump off (25.1 is above 25.0)",
                "T4 link uplink: waiting: connection refused",
            ])
    }

    @Test func `an alarm is announced once and its end too`() throws {
        var log = WatchLog()
        _ = log.lines(for: try status(healthyStatus), at: "T1")
        var alarmed = try status(healthyStatus)
        alarmed.alarms = [Alarm(["name": "disk-full", "text": "no space"])]
        #expect(log.lines(for: alarmed, at: "T2") == ["T2 alarm disk-full: no space"])
        #expect(log.lines(for: alarmed, at: "T3").isEmpty)
        #expect(log.lines(for: try status(healthyStatus), at: "T4") == ["T4 alarm disk-full: gone"])
    }

    @Test func `a moving backlog is told every ten seconds`() throws {
        var log = WatchLog()
        var told = 0
        for second in 0..<60 {
            var status = try status(healthyStatus)
            status.uptimeSeconds = 100 + Double(second)
            status.uplink?.backlog = 1_000 - Int64(second)
            told += log.lines(for: status, at: "T").count { $0.hasPrefix("T backlog") }
        }
        #expect(told == 6)
    }

    @Test func `a daemon that goes away is told once, and that it came back`() throws {
        var log = WatchLog()
        _ = log.lines(for: try status(healthyStatus), at: "T1")
        #expect(log.lines(for: .closed, at: "T2").count == 1)
        #expect(log.lines(for: .closed, at: "T3").isEmpty)
        #expect(log.lines(for: try status(healthyStatus), at: "T4") == ["T4 hearthd: reachable again"])
    }
}
