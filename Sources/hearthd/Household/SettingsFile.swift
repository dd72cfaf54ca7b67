import Glibc
import Heating
import Logging
import Machine
import Synchronization

/// The file in which the kept settings outlive a restart. Written on a thread of its own, which a frozen disk may stop without
/// anybody else waiting for it: what was set counts at once.
final class SettingsFile: Sendable {
    /// What became of a text that was to be kept.
    enum Outcome: Equatable, Sendable {
        case kept
        /// Tried again by itself; until then a restart would not know it.
        case failed(String)
    }

    /// A settings file is a page of text; one beyond this is none.
    private static let sizeLimit = 4 << 20
    private static let retryPause = Duration.seconds(10)
    private static let brokenSuffix = ".damaged"

    private struct State {
        var text: String?
        /// The newest text's number, and the number of the newest that is on disk.
        var wanted: Int64 = 0
        var written: Int64 = 0
        var failure: (number: Int64, text: String)?
        var isRunning = false
        var news: @Sendable () -> Void = {}
    }

    let path: String
    private let findings: FindingBoard
    private let logger: Logger
    private let wake = WakeUp()
    private let state = Mutex(State())

    init(path: String, findings: FindingBoard, logger: Logger) {
        (self.path, self.findings, self.logger) = (path, findings, logger)
    }

    // MARK: Reading

    /// What was kept; nothing when there is no file. One that cannot be understood is set aside and told: the house heats by
    /// its configuration.
    func read() -> KeptSettings {
        switch peek() {
        case .success(let kept): return kept
        case .failure(let problem):
            let aside = path + Self.brokenSuffix
            let isMoved = problem.isDamage && rename(path, aside) == 0
            tell(
                problem.text,
                isMoved
                    ? .finding(.movedAside, ["file": .text(aside)])
                    : .finding(.checkOwner, command: "systemctl restart hearthd")
            )
            return KeptSettings()
        }
    }

    /// As ``read()``; changes nothing.
    func peek() -> Result<KeptSettings, Problem> {
        contents().flatMap { text in
            guard let text else { return .success(KeptSettings()) }
            do throws(ConfigurationError) {
                return .success(try KeptSettings(text: text, file: path))
            } catch {
                let what = error.problems.first?.description ?? path
                return .failure(Problem(text: what, isDamage: true))
            }
        }
    }

    /// Why nothing is known of what was kept.
    struct Problem: Error, CustomStringConvertible {
        var text: String
        /// The text is no settings; otherwise it could not be read.
        var isDamage = false
        var description: String { text }
    }

    private func contents() -> Result<String?, Problem> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            return errno == ENOENT || errno == ENOTDIR
                ? .success(nil) : .failure(Problem(text: "\(path): \(systemErrorText(errno))"))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while bytes.count <= Self.sizeLimit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return .success(String(decoding: bytes, as: UTF8.self)) }
            guard count > 0 else { return .failure(Problem(text: "\(path): \(systemErrorText(errno))")) }
            bytes += chunk[..<count]
        }
        return .failure(Problem(text: "\(path): larger than \(Self.sizeLimit) bytes"))
    }

    private func tell(_ problem: String, _ advice: Sentence) {
        findings.report(
            Finding(
                name: "settings-damaged", severity: .heating,
                text: .finding(.notUnderstood, ["problem": .text(escapingControls(problem))]),
                advice: advice))
        logger.error("the kept settings do not count", metadata: ["error": "\(escapingControls(problem))"])
    }

    // MARK: Writing

    /// - Parameter news: called when a text has been written, or could not be; must not block.
    func start(news: @escaping @Sendable () -> Void) { state.withLock { $0.news = news } }

    /// Takes the newest text, which replaces one that waits. Never waits for the disk.
    /// - Returns: a number to ask ``outcome(of:)`` with.
    func keep(_ text: String) -> Int64 {
        let (number, mustStart) = state.withLock { state in
            state.text = text
            state.wanted += 1
            defer { state.isRunning = true }
            return (state.wanted, !state.isRunning)
        }
        if mustStart { startThread("settings") { [self] in serve() } }
        wake.signal()
        return number
    }

    /// nil while the disk has not answered.
    func outcome(of number: Int64) -> Outcome? {
        state.withLock { state in
            if state.written >= number { return .kept }
            guard let failure = state.failure, failure.number >= number else { return nil }
            return .failed(failure.text)
        }
    }

    private func serve() {
        while true {
            let (number, text, news) = state.withLock { ($0.wanted, $0.text, $0.news) }
            var isDone = true
            if let text {
                let problem = write(text)
                isDone = problem == nil
                settle(number, problem)
                news()
            }
            var polled = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
            let pause = Int32(Self.retryPause.components.seconds * 1000)
            // Something newer may have come while the disk was busy: its signal is still in the pipe.
            poll(&polled, 1, isDone ? -1 : pause)
            wake.clear()
        }
    }

    /// Says what is wrong before anybody is answered, so that who asks after the answer finds it.
    private func settle(_ number: Int64, _ problem: String?) {
        tell(problem)
        state.withLock { state in
            if let problem {
                state.failure = (number, problem)
            } else {
                (state.written, state.failure) = (number, nil)
                if state.wanted == number { state.text = nil }
            }
        }
    }

    private func tell(_ problem: String?) {
        guard let problem else {
            findings.resolve("settings-not-kept")
            return
        }
        let isNews = findings.report(
            Finding(
                name: "settings-not-kept", severity: .heating,
                text: .finding(.notKept, ["problem": .text(problem)]),
                advice: .finding(.checkDisk, ["file": .text(path)])))
        if isNews { logger.error("the settings cannot be kept", metadata: ["error": "\(problem)"]) }
    }

    /// A whole file beside the old one, on the disk before it takes its name, and the name on the disk before anybody is told.
    /// - Returns: what went wrong.
    private func write(_ text: String) -> String? {
        let new = path + ".new"
        func failure(_ step: String) -> String { "\(path): \(step): \(systemErrorText(errno))" }
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { return failure("open") }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return failure("write") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { return failure("fsync") }
        isOpen = false
        guard close(descriptor) == 0 else { return failure("close") }
        guard rename(new, path) == 0 else { return failure("rename") }
        let directory = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { return failure("open the directory") }
        defer { close(directory) }
        return fsync(directory) == 0 ? nil : failure("fsync of the directory")
    }
}
