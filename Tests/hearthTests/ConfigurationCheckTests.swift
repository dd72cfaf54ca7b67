import Foundation
import GatewayClient
import Glibc
import Machine
import Testing

@testable import hearth

@Suite(.timeLimit(.minutes(1))) struct ConfigurationCheckTests {
    @Test func `a valid file is ok`() throws {
        let check = try check(program: "exit 0")
        #expect(check?.state == .ok)
    }

    @Test func `an invalid file is an error with the daemon's own words`() throws {
        let check = try check(program: "echo \"$2:4: unknown key on_bellow\" >&2; exit 78")
        #expect(check?.state == .error)
        #expect(check?.detail.contains(":4: unknown key on_bellow") == true)
        #expect(check?.advice.contains("systemctl reload hearthd") == true)
    }

    @Test func `a daemon that fails otherwise is a warning with its exit code`() throws {
        let check = try check(program: "echo boom; exit 3")
        #expect(check?.state == .warning)
        #expect(check?.detail.contains("exit code 3") == true && check?.detail.contains("boom") == true)
    }

    @Test func `the daemon is asked about this file, without the shell's environment`() throws {
        setenv("HEARTH_HOME", "from-the-shell", 1)
        defer { unsetenv("HEARTH_HOME") }
        let check = try check(program: "echo \"$1 $3 [$HEARTH_HOME]\"; exit 78")
        #expect(check?.detail.contains("--config --check-config []") == true, "\(check?.detail ?? "no check")")
    }

    @Test func `without a file there is nothing to check, unless it was named`() {
        let check = configurationCheck(named: "/nonexistent/hearthd.toml", program: "/bin/true")
        #expect(check?.state == .error)
        #expect(check?.detail.contains("No such file") == true)
    }

    @Test func `output without end is cut, and a program without end is killed`() throws {
        let started = ContinuousClock.now
        let result = try ChildProcess(
            running: "/bin/sh", ["-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"],
            outputLimit: 1_000, timeout: .milliseconds(300))
        #expect(result.output.utf8.count == 1_000)
        #expect(result.exitCode == nil)
        #expect(ContinuousClock.now - started < .seconds(10))
        let silent = try ChildProcess(
            running: "/bin/sh", ["-c", "exec >&- 2>&-; exec sleep 60"], timeout: .milliseconds(300))
        #expect(silent.exitCode == nil)
    }

    @Test func `a program that is not there is a thrown error`() {
        #expect(throws: SystemError(code: ENOENT)) { try ChildProcess(running: "/nonexistent", []) }
    }

    /// What comes of a stand-in for hearthd: a shell script with this body.
    private func check(program body: String) throws -> DoctorCheck? {
        let directory = FileManager.default.temporaryDirectory.appending(path: "hearth-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (program, file) = (directory.appending(path: "hearthd"), directory.appending(path: "hearthd.toml"))
        try Data("#!/bin/sh\n\(body)\n".utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        try Data("home = \"home1\"\n".utf8).write(to: file)
        return configurationCheck(named: file.path, program: program.path)
    }
}
