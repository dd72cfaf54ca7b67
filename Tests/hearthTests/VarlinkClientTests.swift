import Foundation
import GatewayClient
import Glibc
import Heating
import Machine
import Testing

@testable import hearth

@Suite(.timeLimit(.minutes(1))) struct VarlinkClientTests {
    @Test func `a call is one JSON object ended by NUL, and its reply's parameters come back`() throws {
        let server = try ScriptedServer { peer in
            let request = peer.request() ?? ""
            let quoted = JSON.string(request).serialized()
            peer.send(#"{"parameters":{"asked":\#(quoted)}}"#)
        }
        let client = try VarlinkClient(path: server.path)
        let reply = try client.call("io.hearth.Gateway.Why", ["room": "a\"b\u{1B}"])
        let asked = try JSON.parse(reply["asked"]?.string ?? "")
        #expect(asked == ["method": "io.hearth.Gateway.Why", "parameters": ["room": "a\"b\u{1B}"]])
    }

    @Test func `a reply that arrives byte by byte is put together, and two that arrive at once are told apart`() throws
    {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            for byte in Array(#"{"parameters":{"name":"Küche"}}"#.utf8) + [0] { _ = peer.send(bytes: [byte]) }
            _ = peer.request()
            peer.send(#"{"parameters":{"n":1},"continues":true}"# + "\0" + #"{"parameters":{"n":2}}"#)
        }
        let client = try VarlinkClient(path: server.path)
        #expect(try client.call("x")["name"]?.string == "Küche")
        try client.send("y", more: true)
        let first = try client.receive()
        let second = try client.receive()
        #expect(first.parameters["n"]?.int == 1 && first.continues)
        #expect(second.parameters["n"]?.int == 2 && !second.continues)
    }

    @Test func `an error reply is a refusal with its parameters, and the connection stays usable`() throws {
        let server = try gatewayServer(status: healthyStatus)
        let client = try VarlinkClient(path: server.path)
        let error = #expect(throws: VarlinkError.self) {
            try client.call("io.hearth.Gateway.Why", ["room": "nowhere"])
        }
        #expect(error?.refusalName == "NoSuchRoom")
        #expect(error?.explanation == "no such room")
        #expect(error?.meansUnreachable == false)
        #expect(try client.call("io.hearth.Gateway.Status")["home"]?.string == "home1")
    }

    @Test func `silence ends at the deadline`() throws {
        let server = try ScriptedServer { $0.waitForHangUp() }
        let client = try VarlinkClient(path: server.path, timeout: .milliseconds(150))
        let started = ContinuousClock.now
        #expect(throws: VarlinkError.timedOut(.milliseconds(150))) { try client.call("x") }
        let taken = ContinuousClock.now - started
        #expect(taken >= .milliseconds(150) && taken < .seconds(5))
    }

    @Test func `bytes that trickle without an end do not extend the deadline`() throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            while peer.send("{", ended: false) { usleep(5_000) }
        }
        let client = try VarlinkClient(path: server.path, timeout: .milliseconds(150))
        #expect(throws: VarlinkError.timedOut(.milliseconds(150))) { try client.call("x") }
    }

    @Test func `a reply beyond the limit is given up, not kept`() throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            let chunk = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
            while peer.send(bytes: chunk) {}
        }
        let client = try VarlinkClient(path: server.path, timeout: .seconds(20))
        #expect(throws: VarlinkError.oversized(limit: VarlinkClient.replyLimit)) { try client.call("x") }
    }

    @Test(arguments: ["", #"{"parameters":{"half":"#])
    func `a daemon that hangs up in the middle is said to have closed`(beginning: String) throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(beginning, ended: false)
        }
        let client = try VarlinkClient(path: server.path)
        #expect(throws: VarlinkError.closed) { try client.call("x") }
    }

    @Test(arguments: ["hello", "[1]", "{\"parameters\":", "\u{0}"])
    func `what is not Varlink is malformed`(answer: String) throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(answer)
            peer.waitForHangUp()
        }
        let client = try VarlinkClient(path: server.path)
        let error = #expect(throws: VarlinkError.self) { try client.call("x") }
        guard case .malformed = error else {
            Issue.record("not malformed: \(String(describing: error))")
            return
        }
    }

    @Test func `an interrupt ends a wait without losing what has arrived`() throws {
        let (read, write) = try Descriptor.pipe(isBlocking: false)
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(#"{"parameters":"#, ended: false)
            _ = Glibc.write(write.number, "!", 1)
            _ = peer.request()
            peer.send(#"{"n":7}}"#)
        }
        let client = try VarlinkClient(path: server.path, interrupt: read)
        #expect(throws: VarlinkError.interrupted) { try client.call("x") }
        var byte: UInt8 = 0
        _ = Glibc.read(read.number, &byte, 1)
        try client.send("go on")
        #expect(try client.receive().parameters["n"]?.int == 7)
    }

    @Test func `without a daemon each cause is told apart and has its advice`() throws {
        let missing = #expect(throws: VarlinkError.self) { try VarlinkClient(path: "/nonexistent/hearthd.sock") }
        #expect(missing == .noSocket(path: "/nonexistent/hearthd.sock"))
        #expect(missing?.advice?.contains("systemctl status hearthd") == true)

        let file = FileManager.default.temporaryDirectory.appending(path: "hearth-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: VarlinkError.refused(path: file.path)) { try VarlinkClient(path: file.path) }

        let long = "/" + String(repeating: "x", count: 200)
        #expect(throws: VarlinkError.pathTooLong(path: long, limit: 107)) { try VarlinkClient(path: long) }

        let denied = VarlinkError.denied(path: "/run/hearth/hearthd.sock", group: "hearth")
        #expect(denied.advice?.contains("usermod -aG hearth") == true)
    }

    @Test func `a socket whose listener has gone is refused`() throws {
        let left = FileManager.default.temporaryDirectory.appending(path: "hearth-\(UUID().uuidString.prefix(8))").path
        do {
            let server = try ScriptedServer { $0.waitForHangUp() }
            try FileManager.default.moveItem(atPath: server.path, toPath: left)
        }
        defer { unlink(left) }
        #expect(throws: VarlinkError.refused(path: left)) { try VarlinkClient(path: left) }
    }
}
