import Foundation
import Glibc

/// The program beside the tests' own binary.
func hearthProgram(_ arguments: [String], environment: [String: String]) -> Process {
    let process = Process()
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = own.deletingLastPathComponent().appending(path: "hearth")
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "TZ": "UTC"].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    return process
}

extension Process {
    /// Runs, and is killed after half a minute: a test must end even if the program does not.
    func runBriefly() throws {
        try run()
        let process = processIdentifier
        DispatchQueue.global().asyncAfter(deadline: .now() + 30) { [weak self] in
            if self?.isRunning == true { kill(process, SIGKILL) }
        }
    }
}

struct ProgramResult {
    var exitCode: Int32
    var output: String
    var errors: String
}

/// Runs hearth to its end.
func hearth(_ arguments: [String], environment: [String: String] = [:]) throws -> ProgramResult {
    let process = hearthProgram(arguments, environment: environment)
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.runBriefly()
    let written = output.fileHandleForReading.readDataToEndOfFile()
    let complaints = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return ProgramResult(
        exitCode: process.terminationStatus, output: String(decoding: written, as: UTF8.self),
        errors: String(decoding: complaints, as: UTF8.self))
}

/// hearth while it runs, its output in a pipe.
struct RunningProgram {
    let process: Process
    private let output = Pipe()

    init(_ arguments: [String]) throws {
        process = hearthProgram(arguments, environment: [:])
        process.standardOutput = output
        try process.runBriefly()
    }

    /// The next `count` lines; fewer when they do not come within 20 s.
    func outputLines(_ count: Int) -> [String] {
        let text = readText(output.fileHandleForReading.fileDescriptor) { $0.count { $0 == "\n" } >= count }
        return text.split(separator: "\n").prefix(count).map(String.init)
    }
}

/// A terminal whose screen the test reads.
final class PseudoTerminal {
    private let master: Int32
    private let slave: FileHandle

    init(columns: UInt16 = 80, rows: UInt16 = 50) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTPEER of ioctl_tty(2): C macros; the values are those of asm-generic/ioctls.h.
        var locked: Int32 = 0
        _ = ioctl(master, 0x4004_5431, &locked)
        let peer = ioctl(master, 0x5441, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0, peer >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        slave = FileHandle(fileDescriptor: peer, closeOnDealloc: true)
        resize(columns: columns, rows: rows)
    }

    func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    deinit {
        close(master)
    }

    func run(_ arguments: [String], environment: [String: String]) throws -> Process {
        let process = hearthProgram(arguments, environment: environment)
        process.standardOutput = slave
        process.standardError = slave
        try process.runBriefly()
        return process
    }

    /// What was written since the last call, until `isEnough` or 20 s have passed.
    func read(until isEnough: (String) -> Bool) -> String {
        readText(master, until: isEnough)
    }
}

private func readText(_ descriptor: Int32, until isEnough: (String) -> Bool) -> String {
    let deadline = ContinuousClock.now + .seconds(20)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while !isEnough(String(decoding: bytes, as: UTF8.self)), ContinuousClock.now < deadline {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 200) > 0 else { continue }
        let count = Glibc.read(descriptor, &chunk, chunk.count)
        guard count > 0 else { break }
        bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
