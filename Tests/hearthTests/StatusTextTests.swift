import GatewayClient
import Heating
import Testing

@testable import hearth

@Suite struct StatusTextTests {
    @Test func `a home in trouble at 80 columns`() throws {
        let lines = StatusText(
            status: try status(troubledStatus), width: 80, style: .plain, now: localTime(hour: 10, minute: 0)
        ).lines()
        #expect(
            lines.text == """
                home1: hearthd 0.1.0, up 3 d 4 h
                2 alarms; no fresh reading from cellar, guest room on the second floor; the
                cloud is not connected (heating goes on, readings are kept here)

                ! journal-damaged: the journal could not be read and was set aside as
                  journal.sqlite.2026-11-20
                  what to do: check the card's health; keep the file until its readings are
                  known to have arrived
                ! configuration: line 4: unknown key on_bellow
                  what to do: correct the file, then: sudo systemctl reload hearthd

                ROOM                     TEMP  AGE     PUMP  FOR        WHY
                bedroom               25.3 °C  0 s     off   2 h 3 min  25.3 is above 25.0
                cellar                      -  -       -     -          no reading since start
                guest room on the     17.0 °C  21 min  off   6 min      no reading for 15 min:
                second floor                                            off
                office                19.4 °C  1 s     on    34 s       switched on at a
                                                                        terminal until 11:40, in
                                                                        1 h 40 min; waits 3 min
                                                                        20 s for the compressor

                LINK     STATE      FOR       BROKER                 DETAIL
                control  connected  3 d 3 h   127.0.0.1:1883         MQTT 5
                record   connected  3 d 3 h   127.0.0.1:1883         MQTT 5
                uplink   waiting    5 s more  mqtt.example.org:8883  connection refused: is the
                                                                     broker running at
                                                                     mqtt.example.org:8883?

                Backlog    41 233 readings, oldest 38 min 10 s; they leave when the cloud is
                           connected
                           512 under way, 20 sent again to be sure, none counts twice, kept here
                           until the cloud has them on disk
                Journal    1.2 MiB of 512 MiB, 2 damaged rows
                Disk       23.4 GiB of 29.3 GiB free (80 %)
                Readings   1 241 240 received, 1 241 233 recorded with commands, 3 delivered
                           twice, 4 set aside (not_json 3, bad_value 1), 96 pump commands
                """)
    }

    @Test func `a home on a good day at 80 columns`() throws {
        let lines = StatusText(status: try status(healthyStatus), width: 80, style: .plain).lines()
        #expect(
            lines.text == """
                home1: hearthd 0.1.0, up 2 min 5 s
                all is well

                ROOM       TEMP  AGE  PUMP  FOR        WHY
                office  22.0 °C  0 s  on    1 min 1 s  19.4 is below 20.0

                LINK     STATE      FOR        BROKER          DETAIL
                control  connected  2 min 4 s  127.0.0.1:1883  MQTT 5
                record   connected  2 min 4 s  127.0.0.1:1883  MQTT 5
                uplink   connected  2 min 4 s  127.0.0.1:1884  MQTT 3.1.1

                Backlog    none, the cloud has confirmed everything
                           confirmed by the cloud broker only: what its memory loses is lost
                Journal    40 KiB of 512 MiB, nothing lost
                Disk       23.4 GiB of 29.3 GiB free (80 %)
                Readings   125 received, 125 recorded with commands, 1 pump command
                """)
    }

    @Test(arguments: [60, 80, 100, 120, 200])
    func `no line is wider than the terminal, and none ends in spaces`(width: Int) throws {
        for text in [troubledStatus, healthyStatus, "{}"] {
            let lines = StatusText(status: try status(text), width: width, style: .plain).lines()
            #expect(lines.allSatisfy { columnCount($0) <= width && !$0.hasSuffix(" ") })
        }
    }

    @Test func `colours change nothing but colours`() throws {
        let status = try status(troubledStatus)
        let plain = StatusText(status: status, width: 80, style: .plain).lines()
        let coloured = StatusText(status: status, width: 80, style: .coloured).lines()
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9]+m/, with: "") } == plain)
    }

    @Test func `a backlog tells its pace, that it stands still, or that nobody knows`() throws {
        var status = try status(troubledStatus)
        #expect(status.backlog == "41 233 readings, oldest 38 min 10 s; they leave when the cloud is connected")
        status.links[2].state = .connected
        #expect(status.backlog == "41 233 readings, oldest 38 min 10 s; 18/s, done in 37 min 46 s")
        status.uplink?.ratePerSecond = 0
        status.uplink?.secondsToDrain = nil
        #expect(status.backlog == "41 233 readings, oldest 38 min 10 s; nothing is leaving")
        status.uplink?.backlog = 0
        #expect(status.backlog == "none, the cloud has confirmed everything")
        status.journal = nil
        #expect(status.backlog == "unknown until the journal is open")
    }

    @Test func `a hold tells its temperature, who set it and when it ends, with the date if that is not today`() throws
    {
        var room = try status(healthyStatus).rooms[0]
        room.hold = HoldStatus(["target": "23", "source": "page", "secondsLeft": 7_200])
        room.scheduled = "eco"
        let now = localTime(hour: 10, minute: 0)
        #expect(
            room.explanation(now: now)
                == "19.4 is below 20.0; holds 23.0 °C, set from the page, until 12:00, in 2 h; the schedule says eco")
        room.hold = HoldStatus(["target": "frost", "source": "cli", "secondsLeft": 86_400])
        #expect(
            room.mode(now: now)
                == "holds frost, set at a terminal, until 2026-11-24 10:00, in 1 d; the schedule says eco")
        room.hold?.secondsLeft = nil
        #expect(room.mode(now: now)?.contains("until it is changed") == true)
        room.hold = nil
        #expect(room.mode(now: now) == "eco by the schedule")
    }

    @Test func `a room tells its alarm and its discarded readings, and not twice what its reason says`() throws {
        var status = try status(healthyStatus)
        let now = localTime(hour: 10, minute: 0)
        status.alarms = [
            Alarm(["name": "pump-not-responding", "severity": "cold", "room": "office", "text": "office fell by 2"]),
            Alarm(["name": "room-blind", "room": "attic", "text": "no reading from attic"]),
        ]
        #expect(
            status.rooms[0].explanation(now: now, alarms: status.alarms)
                == "19.4 is below 20.0; alarm: office fell by 2")
        status.alarms[0].text = "office: 19.4 is below 20.0"
        #expect(status.rooms[0].explanation(now: now, alarms: status.alarms) == "19.4 is below 20.0")
        status.rooms[0] = RoomStatus(["room": "office", "reason": "no reading yet", "discarded": 12])
        #expect(
            status.rooms[0].explanation(now: now) == "no reading yet; 12 readings discarded as a sensor's fault")
    }

    @Test func `nobody heats without the home broker, and that is said first`() throws {
        var status = try status(healthyStatus)
        status.alarms = [
            Alarm(["name": "cert-expires", "severity": "notice", "text": "home.crt expires in 5 days"]),
            Alarm(["name": "no-home-broker", "severity": "cold", "text": "no connection to the home broker"]),
        ]
        #expect(status.problems.first == "nothing is heating: no connection to the home broker")
    }

    @Test func `the recording side tells when it is away`() throws {
        let away = RecordingStatus(["pid": nil, "restarts": 2, "seconds": 4, "lastEnd": "was killed by signal 9"])
        #expect(away.isAway)
        #expect(recordingText(away) == "not running for 4 s, started again 2 times; it was killed by signal 9")
        #expect(RecordingStatus(["pid": 7, "silentSeconds": 3.1]).isAway)
        #expect(!RecordingStatus(["pid": 7, "silentSeconds": 0.5]).isAway)
    }

    @Test func `an empty status still makes a screen`() throws {
        let lines = StatusText(status: try status("{}"), width: 80, style: .plain).lines()
        #expect(lines.contains { $0.contains("No room has sent a temperature yet") })
        #expect(lines.contains { $0.hasPrefix("Journal    not open") })
    }

    @Test func `a thousand rooms with the longest names make a screen quickly`() throws {
        let name = String(repeating: "x", count: 200)
        let rooms = (0..<1_000).map { #"{"room":"\#(name.dropLast(4))\#(1_000 + $0)","temperature":1}"# }
        let status = try status(#"{"rooms":[\#(rooms.joined(separator: ","))]}"#)
        let started = ContinuousClock.now
        let lines = StatusText(status: status, width: 80, style: .plain).lines()
        #expect(lines.count > 10_000)
        #expect(ContinuousClock.now - started < .seconds(5))
    }
}

@Suite struct StatusDecodingTests {
    @Test func `missing, null, foreign and unknown members do no harm`() throws {
        let odd = try status(
            """
            {"version":7,"rooms":[{},{"room":null,"temperature":"warm","pump":1,"override":[]},3,null],
             "links":[{"state":"dancing"}],"uplink":{"backlog":-1.5,"ratePerSecond":1e400,"secondsToDrain":1e300},
             "journal":null,"disk":{"freeBytes":1e30},"alarms":[{}],"counters":[],"news":{"a":1}}
            """)
        #expect(odd.version == nil && odd.rooms.count == 4 && odd.links[0].state == .unknown)
        #expect(odd.uplink?.backlog == nil && odd.journal == nil && odd.disk?.freeBytes == nil)
        #expect(!StatusText(status: odd, width: 80, style: .plain).lines().isEmpty)
    }

    @Test func `whole numbers may be written with a fraction or an exponent`() throws {
        let status = try status(#"{"uplink":{"backlog":12.0,"inFlight":1e3}}"#)
        #expect(status.uplink?.backlog == 12)
        #expect(status.uplink?.inFlight == 1_000)
    }

    @Test func `any prefix of a status makes an error or a screen, never a crash`() throws {
        let bytes = Array(troubledStatus.utf8)
        for end in stride(from: 0, through: bytes.count, by: 7) {
            guard let json = try? JSON.parse(bytes[..<end]) else { continue }
            #expect(!StatusText(status: Status(json), width: 80, style: .plain).lines().isEmpty)
        }
    }
}
