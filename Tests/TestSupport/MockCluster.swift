import Foundation

/// A `mock-kafka` process: librdkafka's mock cluster outside of the process under test. Ends with this object, and with
/// the test process at the latest.
// @unchecked Sendable: `bootstrap` never changes; commands come from one thread of a test at a time.
public final class MockCluster: @unchecked Sendable {
    public let bootstrap: String
    private let process = Process()
    private let input = Pipe()
    private let output: LineReader

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// The executable, which the package builds beside the tests.
    public static var executable: URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let file = folder.appendingPathComponent("mock-kafka")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
            folder.deleteLastPathComponent()
        }
        return URL(fileURLWithPath: ".build/debug/mock-kafka")
    }

    public init(brokers: Int = 3) throws {
        // A cluster that died is an error of its test, not the end of all of them.
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        process.executableURL = Self.executable
        process.arguments = ["\(brokers)"]
        process.standardInput = input
        process.standardOutput = pipe
        try process.run()
        output = LineReader(pipe.fileHandleForReading)
        guard let line = output.next(within: 10), line.hasPrefix("bootstrap ") else {
            throw Failure(description: "mock-kafka did not start")
        }
        bootstrap = String(line.dropFirst("bootstrap ".count))
    }

    deinit { process.killAndWait() }

    /// Whether librdkafka's mock ended by an assertion of its own, which is a fault of the peer and not of who spoke to it.
    public func hasAborted(within seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < end { usleep(20_000) }
        guard !process.isRunning, process.terminationReason == .uncaughtSignal else { return false }
        return process.terminationStatus == SIGABRT
    }

    /// Sends one command and waits until it is done.
    public func command(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
        let answer = output.next(within: 10)
        guard answer == "ok" else { throw Failure(description: "\(line): \(answer ?? "no answer")") }
    }
}

/// A reader in a process of its own (`mock-kafka read`), to be killed.
public final class ReaderProcess {
    private let process = Process()
    private let input = Pipe()
    private let output: LineReader

    public init(_ bootstrap: String, group: String, topic: String, batch: Int) throws {
        let pipe = Pipe()
        process.executableURL = MockCluster.executable
        process.arguments = ["read", bootstrap, group, topic, "\(batch)"]
        process.standardInput = input
        process.standardOutput = pipe
        try process.run()
        output = LineReader(pipe.fileHandleForReading)
    }

    deinit { kill() }

    public func nextLine(within seconds: Double) -> String? { output.next(within: seconds) }

    /// SIGKILL: no close, no leave, no commit.
    public func kill() {
        process.killAndWait()
    }
}

extension Process {
    /// SIGKILL: a child may have inherited a mask that blocks SIGTERM.
    func killAndWait() {
        guard isRunning else { return }
        Foundation.kill(processIdentifier, SIGKILL)
        waitUntilExit()
    }
}

/// Lines of a pipe, read on a thread.
// @unchecked Sendable: lines and isAtEnd are only touched with the condition locked.
final class LineReader: @unchecked Sendable {
    private let condition = NSCondition()
    private var lines: [String] = []
    private var isAtEnd = false

    init(_ handle: FileHandle) {
        Thread.detachNewThread { [self] in
            var rest: [UInt8] = []
            while case let data = handle.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 10) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    rest.removeSubrange(...end)
                    condition.withLock {
                        lines.append(line)
                        condition.broadcast()
                    }
                }
            }
            condition.withLock {
                isAtEnd = true
                condition.broadcast()
            }
        }
    }

    func next(within seconds: Double) -> String? {
        let end = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while lines.isEmpty, !isAtEnd, condition.wait(until: end) {}
            return lines.isEmpty ? nil : lines.removeFirst()
        }
    }
}
