import Heating
import Testing

@testable import hearthd

@Suite("Parent and child: their messages, and when the child is started again")
struct ForwardTests {
    @Test("each order and each event is read as it was written")
    func messagesSurviveTheSocket() throws {
        let room = try #require(Room("e\u{301}tage \"1\""))
        let orders: [ForwardOrder] = [
            .settings("home = \"a\"\n"), .question(id: 7, .audit, ["after": JSON(3)]), .findings(["disk-low"]),
            .findings([]), .stop,
        ]
        for order in orders { #expect(ForwardOrder(try JSON.parse(order.json.bytes)) == order) }
        let events: [ForwardEvent] = [
            .cloudLink(isUp: true), .cloudLink(isUp: false),
            .command(room, HeatPumpCommand(isOn: true, duration: .seconds(90))),
            .command(room, HeatPumpCommand(isOn: false)), .report(["backlog": JSON(5)]),
            .answer(id: 7, .answer(["records": JSON(1)])), .answer(id: 8, .failure("the disk does not answer")),
        ]
        for event in events { #expect(ForwardEvent(try JSON.parse(event.json.bytes)) == event) }
    }

    @Test("what is no message is told from one")
    func strangersAreNoMessages() throws {
        for text in ["{}", "[]", "{\"stop\":1}", "{\"question\":\"rows\",\"id\":1}", "{\"id\":1}"] {
            #expect(ForwardOrder(try JSON.parse(text)) == nil)
            #expect(ForwardEvent(try JSON.parse(text)) == nil)
        }
    }

    @Test(
        "a child that keeps dying waits longer each time, up to ten seconds; one that lived well starts at once again")
    func restartsBackOff() {
        var pause = RestartPause()
        let delays = (0..<8).map { _ in pause.next(afterLife: .milliseconds(10)) }
        #expect(delays == [250, 500, 1000, 2000, 4000, 8000, 10000, 10000].map { .milliseconds($0) })
        #expect(pause.next(afterLife: .seconds(30)) == .milliseconds(250))
        #expect(pause.next(afterLife: .seconds(1)) == .milliseconds(500))
    }

    @Test(
        "what every child says at its start is said by the first three that die young, and again by one behind a healthy one"
    )
    func loopsAreQuiet() {
        var pause = RestartPause()
        let areQuiet = (0..<5).map { _ in
            defer { _ = pause.next(afterLife: .seconds(1)) }
            return pause.isLooping
        }
        #expect(areQuiet == [false, false, false, true, true])
        _ = pause.next(afterLife: .seconds(3600))
        #expect(!pause.isLooping)
    }

    @Test("a finding crosses the socket whole, and the list begins with what makes a house cold")
    func findingsAreOrdered() throws {
        let office = try #require(Room("office"))
        let findings = [
            Finding(
                name: "certificate-expires", severity: .notice, subject: "/a.crt",
                text: .finding(.expires, ["file": .text("/a.crt"), "count": .count(3)]),
                advice: .finding(.renew, command: "systemctl reload hearthd")),
            Finding(
                name: "not-recording", severity: .recording,
                text: .finding(.notAcknowledged, ["problem": .text("full")]), advice: .finding(.freeSpace)),
            Finding(
                name: "room-blind", severity: .cold, subject: "office", room: office,
                text: .finding(.noAnswer, ["time": .duration(.seconds(40))]), advice: .finding(.checkSensor)),
        ]
        for finding in findings { #expect(Finding(try JSON.parse(finding.json.bytes)) == finding) }
        #expect(findings.ordered.map(\.name) == ["room-blind", "not-recording", "certificate-expires"])
    }

    @Test("a board keeps one finding per name and subject, and two subjects that only look alike")
    func boardsKeepSubjectsApart() {
        let board = FindingBoard()
        func finding(_ subject: String, _ text: String) -> Finding {
            Finding(
                name: "room-blind", severity: .cold, subject: subject,
                text: .finding(.list, ["first": .text(text), "rest": .text("")]), advice: .finding(.checkSensor))
        }
        #expect(board.report(finding("caf\u{e9}", "1")))
        #expect(board.report(finding("cafe\u{301}", "2")))
        #expect(!board.report(finding("caf\u{e9}", "3")))
        #expect(board.snapshot.map(\.text).sorted() == ["2, ", "3, "])
        #expect(board.resolve("room-blind", "caf\u{e9}"))
        #expect(!board.resolve("room-blind", "caf\u{e9}"))
        #expect(board.snapshot.map(\.text) == ["2, "])
    }

    @Test("socket, home at its broker and journal are locked one by one, paths by what they mean")
    func locksNameWhatIsShared() throws {
        func names(_ text: String) throws -> [String] {
            let configuration = try Configuration(text: text, file: "test", environment: [:])
            return GatewayLock.names(configuration).map(\.key)
        }
        let one = try names(
            "home = \"a\"\n[journal]\npath = \"/var//lib/./a.sqlite\"\n[control]\nsocket = \"/run/a\"\n")
        #expect(one == ["socket /run/a", "home a localhost:1883", "journal /var/lib/a.sqlite"])
        let two = try names(
            "home = \"a\"\n[local]\nhost = \"localhost\"\n[journal]\npath = \"/var/lib/b/../a.sqlite\"\n[control]\n"
                + "socket = \"/run/b/.././a\"\n")
        #expect(two == one)
        #expect(try names("home = \"a\"\n[control]\nsocket = \"\"\n").count == 2)
    }

    @Test("after a reload the lock is on the new broker and the new journal, and the old ones are free")
    func theLockFollowsAReload() throws {
        let home = "lock-\(UInt64.random(in: 0 ... .max))"
        func configuration(_ port: Int, _ journal: String, socket: String = "") throws -> Configuration {
            let text =
                "home = \"\(home)\"\n[local]\nport = \(port)\n[journal]\npath = \"/nowhere/\(home)-\(journal)\"\n"
                + "[control]\nsocket = \"\(socket)\"\n"
            return try Configuration(text: text, file: "test", environment: [:])
        }
        let (one, two) = (try configuration(1001, "a"), try configuration(1002, "b"))
        let lock = try GatewayLock.take(for: one, within: .zero)
        #expect(throws: GatewayLock.Held.self) { try GatewayLock.take(for: one, within: .zero) }
        try lock.follow(two)
        #expect(throws: GatewayLock.Held.self) { try GatewayLock.take(for: two, within: .zero) }
        let other = try GatewayLock.take(for: one, within: .zero)
        // Of two names one is another's: both stay as they are.
        #expect(throws: GatewayLock.Held.self) { try lock.follow(try configuration(1003, "a")) }
        let third = try GatewayLock.take(for: try configuration(1003, "c"), within: .zero)
        for lock in [lock, other, third] { lock.release() }
        try GatewayLock.take(for: two, within: .zero).release()
    }
}
