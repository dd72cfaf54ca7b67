import Foundation
import Glibc
import Heating
import Testing

@testable import hearth

/// The built program itself: exit codes, streams, JSON, terminals.
@Suite(.timeLimit(.minutes(2))) struct ProgramTests {
    @Test(arguments: [
        ["status"], ["journal"], ["doctor"], ["why", "office"], ["override", "office", "on", "--for", "2h"],
    ])
    func `every command writes text that fits 80 columns, and valid JSON on demand`(command: [String]) throws {
        let server = try gatewayServer(status: healthyStatus)
        let text = try hearth(command + ["--socket", server.path])
        #expect(text.exitCode == 0, "\(text.errors)")
        #expect(!text.output.isEmpty && text.errors.isEmpty)
        #expect(text.output.split(separator: "\n").allSatisfy { columnCount($0) <= 80 || $0.contains(server.path) })
        #expect(!text.output.contains("\u{1B}"), "a pipe gets no colours")

        let json = try hearth(command + ["--json", "--socket", server.path])
        #expect(json.exitCode == 0)
        #expect(json.output.hasSuffix("}\n"))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.output.utf8)) }
    }

    @Test func `a hostile room passes through JSON unchanged and safe`() throws {
        let name = JSON.string(hostileName).serialized()
        let server = try gatewayServer(status: healthyStatus.replacing("\"office\"", with: name))
        let json = try hearth(["status", "--json", "--socket", server.path])
        #expect(PrintableTests.isSafe(json.output.replacing("\n", with: "")))
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect((object?["rooms"] as? [[String: Any]])?.first?["room"] as? String == hostileName)
        let text = try hearth(["status", "--socket", server.path])
        #expect(PrintableTests.isSafe(text.output.replacing("\n", with: "")))
    }

    @Test func `the environment names the socket, an option beats it`() throws {
        let server = try gatewayServer(status: healthyStatus)
        #expect(try hearth(["status"], environment: ["HEARTH_SOCKET": server.path]).exitCode == 0)
        let other = try hearth(["status", "--socket", "/nonexistent"], environment: ["HEARTH_SOCKET": server.path])
        #expect(other.exitCode == EX_UNAVAILABLE)
    }

    @Test(arguments: [["status"], ["watch"], ["journal"], ["why", "office"], ["override", "office", "off"]])
    func `without a daemon: exit code 69 and what to do`(command: [String]) throws {
        let result = try hearth(command + ["--socket", "/nonexistent/hearthd.sock"])
        #expect(result.exitCode == EX_UNAVAILABLE)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("systemctl status hearthd"))
    }

    @Test func `doctor without a daemon is an error found, not a crash`() throws {
        let result = try hearth(["doctor", "--socket", "/nonexistent/hearthd.sock"])
        #expect(result.exitCode == 1)
        #expect(result.output.contains("error    control socket"))
        let json = try hearth(["doctor", "--json", "--socket", "/nonexistent/hearthd.sock"])
        #expect(json.exitCode == 1)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.output.utf8)) }
    }

    @Test(arguments: [
        (["stats"], "did you mean 'hearth status'?"), (["help", "jornal"], "did you mean 'hearth journal'?"),
        (["status", "--jsn"], "Did you mean '--json'?"), (["override", "office", "up"], "'up' must be on, off, auto"),
        (["override", "living", "room", "21"], "needs quotes: hearth override 'living room' 21"),
        (["override", "living", "room"], "needs quotes: hearth override 'living room' auto"),
        (["why", "living", "room"], "needs quotes: hearth why 'living room'"),
        (["override", "office", "on", "--for", "90"], "90 what? Add a unit"),
        (["override", "office", "auto", "--for", "2h"], "leave --for and --until out"),
        (["why"], "Missing expected argument"),
    ])
    func `wrong usage: exit code 64 and the way out`(arguments: [String], hint: String) throws {
        let result = try hearth(arguments)
        #expect(result.exitCode == EX_USAGE)
        #expect(result.errors.contains(hint), "\(result.errors)")
    }

    @Test func `an unknown room: exit code 1 and the nearest`() throws {
        let server = try gatewayServer(status: healthyStatus)
        let result = try hearth(["why", "ofice", "--socket", server.path])
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("did you mean 'office'?"))
    }

    @Test func `override sends seconds, and none without --for`() throws {
        for (arguments, expected) in [
            (["on", "--for", "90m"], #""pump":"on","seconds":5400"#), (["auto"], #""pump":"auto"}"#),
            (["21,5"], #""pump":"21.5""#), (["21.5C"], #""pump":"21.5C""#), (["21.5 °C"], #""pump":"21.5C""#),
            (["70 °f"], #""pump":"70.0F""#),
            (["-5", "--for", "90m"], #""pump":"-5.0","seconds":5400"#), (["ECO"], #""pump":"eco""#),
        ] {
            let server = try ScriptedServer { peer in
                let asked = peer.request() ?? ""
                peer.send(#"{"parameters":{"room":\#(JSON.string(asked).serialized()),"pump":"on","secondsLeft":1}}"#)
            }
            let result = try hearth(["override", "office", "--json", "--socket", server.path] + arguments)
            let echoed = try JSON.parse(result.output.dropLast().utf8)["room"]?.string ?? ""
            #expect(echoed.contains(expected), "\(echoed)")
        }
    }

    @Test(arguments: ["-5", "-5,5 °C", "-128", "-"]) func `a payload to be tested may begin with a minus`(
        payload: String
    ) throws {
        let result = try hearth(["devices", "--test", "--config", "/nonexistent.toml", "attic/t", payload])
        #expect(!result.errors.contains("--test needs"), "\(result.errors)")
    }

    @Test func `a temperature that hearthd refuses brings its range to mind`() throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(
                #"{"error":"org.varlink.service.InvalidParameter","parameters":{"message":"a temperature between -20.0 and 35.0 °C"}}"#
            )
        }
        let result = try hearth(["override", "office", "71", "--socket", server.path])
        #expect(result.exitCode == 1 && result.errors.contains("-20.0 and 35.0 °C"), "\(result.errors)")
    }

    @Test func `all rooms, an end on a day, and none at all`() throws {
        let soon = ShownTime(now: Timestamp(nanoseconds: 0)).text(
            Timestamp(nanoseconds: (Int64(time(nil)) + 3 * 86_400) * 1_000_000_000))
        let day = String(try #require(soon).prefix(10))
        for (arguments, expected) in [
            (["--all", "eco", "--until-changed"], #"{"all":true,"pump":"eco","untilChanged":true}"#),
            (["office", "21.5", "--until", day], #"{"room":"office","pump":"21.5","seconds":"#),
            (["--all", "auto"], #"{"all":true,"pump":"auto"}"#),
        ] {
            let server = try ScriptedServer { peer in
                let asked = peer.request() ?? ""
                peer.send(#"{"parameters":{"room":\#(JSON.string(asked).serialized()),"pump":"on"}}"#)
            }
            let result = try hearth(["override", "--json", "--socket", server.path] + arguments)
            let echoed = try JSON.parse(result.output.dropLast().utf8)["room"]?.string ?? ""
            #expect(echoed.contains(expected), "\(echoed)")
        }
        for (arguments, complaint) in [
            (["--all", "office", "eco"], "leave the room out"),
            (["office", "on", "--until-changed"], "always has an end"),
            (["office", "eco", "--until", "2020-01-01"], "has passed"),
            (["office", "eco", "--until", "soon"], "not a time"),
            (["office", "eco", "--until", "2027-02-31"], "no such day"),
            (["office", "eco", "--until", "25:00"], "not a time"),
            (["office", "eco", "--until", "18:00", "--for", "1h"], "exclude each other"),
        ] {
            let result = try hearth(["override"] + arguments)
            #expect(result.exitCode == 64 && result.errors.contains(complaint), "\(arguments): \(result.errors)")
        }
    }

    @Test func `settings are sent as hearthd reads them`() throws {
        for (arguments, expected) in [
            (["office", "target", "21,5"], #"{"room":"office","settings":{"target":21.5}}"#),
            (["office", "target", "70F"], #"{"room":"office","settings":{"target":"70.0F"}}"#),
            (["--all", "band", "0.5"], #"{"all":true,"settings":{"band":0.5}}"#),
            (
                ["office", "schedule", "mon 06:30 eco", "daily 22:00 frost"],
                #""settings":{"schedule":["mon 06:30 eco","daily 22:00 frost"]}"#
            ),
            (["office", "name", "Living", "room"], #""settings":{"name":"Living room"}"#),
            (["office", "order", "3"], #""settings":{"order":3}"#),
            (["office", "target", "--reset"], #"{"room":"office","keys":["target"]}"#),
        ] {
            let server = try ScriptedServer { peer in
                let asked = peer.request() ?? ""
                peer.send(#"{"parameters":{"room":\#(JSON.string(asked).serialized()),"kept":true}}"#)
            }
            let result = try hearth(["settings", "--json", "--socket", server.path] + arguments)
            let echoed = try JSON.parse(result.output.dropLast().utf8)["room"]?.string ?? ""
            #expect(echoed.contains(expected), "\(echoed) \(result.errors)")
        }
        #expect(try hearth(["settings", "office", "target", "warm"]).errors.contains("must be a number"))
        #expect(try hearth(["settings", "office", "target"]).errors.contains("--reset"))
    }

    @Test func `the shell completes rooms`() throws {
        let server = try gatewayServer(status: healthyStatus)
        let result = try hearth(
            ["---completion", "why", "--", "room", "1", "0"], environment: ["HEARTH_SOCKET": server.path])
        #expect(result.output.contains("office"), "\(result.output)\(result.errors)")
    }

    @Test func `watch in a pipe appends a line for each thing, with its time`() throws {
        let server = try gatewayServer(status: healthyStatus)
        let program = try RunningProgram(["watch", "--socket", server.path])
        let lines = program.outputLines(5)
        program.process.terminate()
        program.process.waitUntilExit()
        #expect(lines.count == 5)
        #expect(lines.first?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ room office: .*/) != nil)
    }

    @Test func `watch --json writes one document per line and tries again when the daemon restarts`() throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(#"{"parameters":{"home":"home1"},"continues":true}"#)
        }
        let program = try RunningProgram(["watch", "--json", "--socket", server.path])
        let lines = program.outputLines(2)
        program.process.terminate()
        program.process.waitUntilExit()
        #expect(lines == [#"{"home":"home1"}"#, #"{"home":"home1"}"#])
    }
}
