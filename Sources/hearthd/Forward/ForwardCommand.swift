import CLinux
import Glibc
import Heating
import LogLines
import Logging
import Machine
import Synchronization

/// `hearthd forward`: the recording and forwarding side, started by hearthd itself and never by a person.
enum ForwardCommand {
    static let name = "forward"
    /// Behind the name: those before it died young, so what each says at its start has been said.
    static let again = "again"
    /// Until when only errors are said.
    static let quietUntil = CommandLine.arguments.dropFirst(2).first == again ? Clock.now + .seconds(60) : nil

    /// EX_USAGE of sysexits.h.
    private static let usageExit: Int32 = 64

    /// On the process's main thread, until the parent says stop or is gone.
    static func run() -> Never {
        let descriptor = SpawnedProcess.childDescriptor
        var type: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 else {
            FileOutput.standardError("hearthd forward is started by hearthd; run hearthd\n")
            exit(usageExit)
        }
        // The parent's end is seen on the socket, but not by a process that is stopped, and not while stopping takes its
        // time: whoever starts next needs the journal.
        _ = linux_die_with_parent()
        // The parent decides when to end: a terminal's Ctrl-C and systemd's SIGTERM reach every process at once.
        for number in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Started by the name of a link in /proc, which ps would show.
        nameThread("hearthd-forward")
        ProcessLimits.forForwarding()
        ForwardOrders(descriptor: descriptor).run()
        // A lane stuck in a frozen disk cannot be joined. What it holds was never acknowledged, so leaving is safe.
        _exit(0)
    }
}

/// What keeps this process from taking the heating's memory.
enum ProcessLimits {
    /// Bytes of data: twice what a backlog in flight takes with the stacks of all threads, and less than the unit's
    /// MemoryMax. At the limit an allocation fails and this process ends, not its parent.
    private static let data: rlim_t = 224 << 20

    static func forForwarding() {
        var limit = rlimit(rlim_cur: data, rlim_max: data)
        if setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) != 0 {
            FileOutput.standardError(
                "hearthd forward has no limit of memory of its own (\(systemErrorText(errno))): allow prlimit64\n"
            )
        }
        // The kernel takes this process before its parent (proc_pid_oom_score_adj(5)); raising needs no privilege.
        let descriptor = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = write(descriptor, "500", 3)
        close(descriptor)
    }
}

/// Obeys the parent until it says stop or is gone.
private struct ForwardOrders {
    let descriptor: Int32

    func run() {
        let outbox = ForwardOutbox(descriptor: descriptor)
        var buffer = MessageBuffer()
        var forwarder: Forwarder?
        let answering = AnsweringThread(outbox)
        while true {
            do throws(MessageBuffer.Failure) {
                while let message = try buffer.next() {
                    switch ForwardOrder(message) {
                    case .settings(let text): settle(text, &forwarder, outbox)
                    case .question(let id, .report, _):
                        // From memory: also while the disk keeps the other answers waiting.
                        if let forwarder { outbox.send(.answer(id: id, .answer(ForwardSnapshot(forwarder).json))) }
                    case .question(let id, let question, let parameters):
                        answering.add(.init(id: id, question: question, parameters: parameters), forwarder)
                    case .findings(let names): forwarder?.uplinkBoard.told(findings: names)
                    case .stop:
                        forwarder?.stop()
                        return
                    case nil: throw .unreadable
                    }
                }
                // A thread that waits in recv is woken by everything that its own side has sent, too.
                var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&polled, 1, -1)
                try buffer.fill(from: descriptor)
            } catch {
                // The parent is gone: whoever starts next needs the journal, and nothing unacknowledged is lost.
                _exit(0)
            }
        }
    }

    /// The parent has checked it; what its own words say differently to us is an error of the program.
    private func settle(_ text: String, _ forwarder: inout Forwarder?, _ outbox: ForwardOutbox) {
        do throws(ConfigurationError) {
            let configuration = try Configuration(text: text, file: "the parent's settings", environment: [:])
            if let forwarder { return forwarder.adopt(configuration) }
            let new = Forwarder(
                configuration: configuration, outbox: outbox,
                logger: Hearthd.logger(
                    LogThreshold(Logger.Level(rawValue: configuration.logLevel) ?? .info),
                    quietUntil: ForwardCommand.quietUntil))
            forwarder = new
            new.start()
        } catch {
            FileOutput.standardError("hearthd forward cannot read its parent's settings: \(error)\n")
            _exit(78)
        }
    }
}

/// Answers questions about the journal on a thread of its own, so that a slow disk delays no order.
private final class AnsweringThread: Sendable {
    struct Asked: Sendable {
        var id: Int64
        var question: ForwardQuestion
        var parameters: JSON
    }

    /// While a disk hangs, questions pile up that nobody waits for any more.
    private static let limit = 64

    private let outbox: ForwardOutbox
    private let waiting = Mutex<[(Asked, Forwarder)]>([])
    private let wake = WakeUp()

    init(_ outbox: ForwardOutbox) {
        self.outbox = outbox
        startThread("answers") { [self] in run() }
    }

    func add(_ asked: Asked, _ forwarder: Forwarder?) {
        guard let forwarder else {
            return outbox.send(.answer(id: asked.id, .failure("the journal is not open yet")))
        }
        let isAdded = waiting.withLock { waiting in
            guard waiting.count < Self.limit else { return false }
            waiting.append((asked, forwarder))
            return true
        }
        guard isAdded else { return outbox.send(.answer(id: asked.id, .failure("the disk does not answer"))) }
        wake.signal()
    }

    private func run() {
        while true {
            var polled = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)]
            poll(&polled, 1, -1)
            wake.clear()
            while let (asked, forwarder) = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                outbox.send(.answer(id: asked.id, forwarder.answer(asked.question, asked.parameters)))
            }
        }
    }
}

extension Forwarder {
    /// Reads the journal; may wait for the disk.
    fileprivate func answer(_ question: ForwardQuestion, _ parameters: JSON) -> ForwardAnswer {
        let snapshot = ForwardSnapshot(self)
        do throws(Audit.Failure) {
            switch question {
            case .report: return .answer(snapshot.json)
            case .journal: return .answer(snapshot.journalDetails)
            case .history:
                let name = parameters["span"]?.string ?? ""
                if let span = HourlyHistory.Span(rawValue: name) {
                    let file = HourlyFile(journal: snapshot.state.configuration.journal.path)
                    return .answer(history.json(span, in: file, now: Clock.wallNanoseconds))
                }
                let span = History.Span(rawValue: name) ?? .day
                return .answer(history.json(span, now: Clock.wallNanoseconds))
            case .audit, .readings:
                let seconds = parameters["sinceSeconds"]?.int ?? 86_400
                let after = parameters["after"]?.int
                return .answer(
                    question == .audit
                        ? try Audit(snapshot, seconds: seconds, after: after).json
                        : try JournaledReadings(snapshot, seconds: seconds, after: after).json)
            }
        } catch {
            return .failure(error.message)
        }
    }
}
