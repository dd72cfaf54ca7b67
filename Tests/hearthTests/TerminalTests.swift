import Foundation
import Glibc
import Testing

@testable import hearth

/// What the program does on a terminal, seen through a pseudo-terminal.
@Suite(.timeLimit(.minutes(1))) struct TerminalTests {
    @Test func `status is coloured on a terminal, unless NO_COLOR or a dumb one says otherwise`() throws {
        let server = try gatewayServer(status: healthyStatus)
        for (environment, isColoured) in [
            (["TERM": "xterm"], true), (["TERM": "xterm", "NO_COLOR": "1"], false),
            (["TERM": "xterm", "NO_COLOR": ""], true), (["TERM": "dumb"], false),
        ] {
            let terminal = try PseudoTerminal()
            let process = try terminal.run(["status", "--socket", server.path], environment: environment)
            let output = terminal.read { $0.contains("pump command") }
            process.waitUntilExit()
            #expect(output.contains("\u{1B}[32m") == isColoured, "\(environment)")
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `watch paints, repaints, and gives the terminal back at the end`(signal: Int32) throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            for second in 1... {
                let status = healthyStatus.replacing("21.96", with: "\(20 + second % 5)")
                guard peer.send(#"{"parameters":\#(status),"continues":true}"#) else { return }
                usleep(20_000)
            }
        }
        let terminal = try PseudoTerminal()
        let process = try terminal.run(["watch", "--socket", server.path], environment: ["TERM": "xterm"])
        let painted = terminal.read { $0.contains("22.0 °C") && $0.contains("24.0 °C") }
        #expect(painted.hasPrefix("\u{1B}[?1049h\u{1B}[?25l"))
        #expect(painted.contains("Ctrl-C ends"))
        kill(process.processIdentifier, signal)
        let rest = terminal.read { $0.hasSuffix("\u{1B}[?25h\u{1B}[?1049l") }
        #expect(rest.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test(arguments: [60, 80])
    func `watch keeps its last column`(columns: Int) throws {
        // The long words of the reason fill every line to its end.
        let long = troubledStatus.replacing("25.3 is above 25.0", with: String(repeating: "abcdefghi ", count: 40))
        let server = try gatewayServer(status: long)
        let terminal = try PseudoTerminal(columns: UInt16(columns), rows: 200)
        let process = try terminal.run(
            ["watch", "--socket", server.path], environment: ["TERM": "xterm", "NO_COLOR": "1"])
        let painted = terminal.read { $0.contains("Ctrl-C ends") }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        let screen = screen(after: painted, columns: columns)
        // Ages do not count: the two are a moment apart.
        let expected = StatusText(status: try status(long), width: columns, style: .plain).lines()
        #expect(expected.contains { columnCount($0) == columns }, "a line that fills the window is what is tested")
        #expect(expected.allSatisfy { screen.contains($0) })
    }

    /// What a terminal shows that does not wrap: after the last column the cursor stays on it, and `ESC[K` erases from
    /// the cursor on, itself included (ECMA-48 8.3.41).
    private func screen(after output: String, columns: Int) -> [String] {
        var rows = [Int: [Character]](), (row, column) = (1, 0)
        var rest = Substring(output)
        while let character = rest.popFirst() {
            if character == "\u{1B}", rest.first == "[" {
                rest.removeFirst()
                let parameters = rest.prefix { !$0.isLetter }
                rest.removeFirst(parameters.count)
                switch rest.popFirst() {
                case "H": (row, column) = (Int(parameters.prefix { $0 != ";" }) ?? 1, 0)
                case "K": rows[row] = Array((rows[row] ?? []).prefix(min(column, columns - 1)))
                case "J": rows = rows.filter { $0.key < row }
                default: break
                }
            } else if character.isNewline {
                (row, column) = (row + 1, 0)
            } else {
                let at = min(column, columns - 1)
                rows[row] = Array((rows[row] ?? []).prefix(at)) + [character]
                column = at + 1
            }
        }
        return rows.values.map { String($0) }
    }

    @Test func `watch fits a small window and says what it left out`() throws {
        let server = try gatewayServer(status: troubledStatus)
        let terminal = try PseudoTerminal(columns: 60, rows: 10)
        let process = try terminal.run(["watch", "--socket", server.path], environment: ["TERM": "xterm"])
        let painted = terminal.read { $0.contains("more lines: make the window taller") }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(painted.contains("more lines: make the window taller"))
        #expect(painted.count { $0 == "\n" || $0 == "\r\n" } == 9)
    }

    @Test func `watch repaints when the window changes, without waiting for the daemon`() throws {
        let server = try gatewayServer(status: troubledStatus)  // sends one status and stays silent
        let terminal = try PseudoTerminal()
        let process = try terminal.run(["watch", "--socket", server.path], environment: ["TERM": "xterm"])
        #expect(terminal.read { $0.contains("Ctrl-C ends") }.contains("pump commands"))
        terminal.resize(columns: 80, rows: 12)
        kill(process.processIdentifier, SIGWINCH)
        #expect(terminal.read { $0.contains("more lines") }.contains("more lines"))
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
    }

    @Test func `Ctrl-Z gives the terminal back, and fg takes it again`() throws {
        let server = try gatewayServer(status: healthyStatus)
        let terminal = try PseudoTerminal()
        let process = try terminal.run(["watch", "--socket", server.path], environment: ["TERM": "xterm"])
        _ = terminal.read { $0.contains("Ctrl-C ends") }
        kill(process.processIdentifier, SIGTSTP)
        #expect(terminal.read { $0.contains("\u{1B}[?1049l") }.contains("\u{1B}[?1049l"))
        #expect(waitUntilStopped(process.processIdentifier))
        kill(process.processIdentifier, SIGCONT)
        #expect(terminal.read { $0.contains("Ctrl-C ends") }.contains("\u{1B}[?1049h"))
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
    }

    /// Whether the process reached state T of proc_pid_stat(5) within 20 s.
    private func waitUntilStopped(_ process: Int32) -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let stat = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            if stat.contains(") T ") { return true }
            usleep(5_000)
        }
        return false
    }

    @Test func `watch keeps the last picture and says so when the daemon goes`() throws {
        let server = try ScriptedServer { peer in
            _ = peer.request()
            peer.send(#"{"parameters":\#(healthyStatus),"continues":true}"#)
        }
        let terminal = try PseudoTerminal()
        let process = try terminal.run(["watch", "--socket", server.path], environment: ["TERM": "xterm"])
        let painted = terminal.read { $0.contains("NOT LIVE") }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(painted.contains("NOT LIVE: hearthd closed the connection"))
    }

    @Test func `a watch that never saw a daemon leaves the terminal alone`() throws {
        let terminal = try PseudoTerminal()
        let process = try terminal.run(["watch", "--socket", "/nonexistent"], environment: ["TERM": "xterm"])
        let output = terminal.read { $0.contains("what to do") }
        process.waitUntilExit()
        #expect(process.terminationStatus == EX_UNAVAILABLE)
        #expect(!output.contains("\u{1B}"))
    }
}
