import Glibc
import Heating
import Logging
import Machine
import Synchronization

/// The parent's side of `hearthd forward`, the process that records, keeps and forwards readings: starts it, tells it what
/// to do, starts it again when it ends or stands still, and knows what it said last.
///
/// One thread owns the socket. Whatever the child does, or a debugger with it, no caller of this class ever waits.
final class ForwardProcess: Sendable {
    /// Told on this class's thread; must not block.
    struct Listener: Sendable {
        var cloudLink: @Sendable (Bool) -> Void
        var command: @Sendable (Room, HeatPumpCommand) -> Void
        /// Called when a question is answered, or nobody will answer it.
        var news: @Sendable () -> Void
    }

    /// A child that says nothing for so long is ended and started again. A disk that is frozen does not silence it: its
    /// words come from a thread that never touches the disk.
    static let silence = Duration.seconds(15)
    /// A lane that has not turned for so long, and is not connecting, hangs. A disk may freeze for half a minute, as cheap
    /// cards do when they collect garbage.
    static let standstill = Duration.seconds(60)
    /// How long a question may take: less than the five seconds for which `hearth` waits.
    static let patience = Duration.seconds(4)
    /// How long a status waits for the newest figures before it shows the last ones.
    static let reportPatience = Duration.milliseconds(300)
    /// A turn of this side's own thread that took longer was not the child's fault: the box slept, or somebody had
    /// stopped this process.
    private static let absence = Duration.seconds(5)
    /// The heating's connection comes first: on a small box a program that starts takes its processor. Measured from the start of
    /// the process to its first command.
    private static let headStart = Duration.milliseconds(10)
    private static let outstandingLimit = 64
    /// Beside the settings, which may be long.
    private static let unsentLimit = 1 << 20

    private struct State: Sendable {
        var view: View
        var settings: String
        /// The settings that the running child has.
        var sentSettings: String?
        var findings: [String] = []
        /// Those that the running child has.
        var sentFindings: [String] = []
        /// The next child is wanted at once, by a person's reload.
        var mustRestart = false
        var isStopping = false
        var orders: [ForwardOrder] = []
        var nextQuestion: Int64 = 1
        /// When each stops being worth waiting for.
        var questions: [Int64: Instant] = [:]
        var answers: [Int64: ForwardAnswer] = [:]
    }

    private let logger: Logger
    private let state: Mutex<State>
    private let wake = WakeUp()
    private let hasEnded = Atomic(false)

    init(settings: String, logger: Logger) {
        self.logger = logger
        state = Mutex(State(view: View(since: Clock.now), settings: settings))
    }

    var view: View { state.withLock { $0.view } }

    func start(_ listener: Listener) {
        startThread("forward") { [self] in
            run(listener)
            hasEnded.store(true, ordering: .releasing)
        }
    }

    /// Hands new settings to the child. `restarting`: it cannot take them while it is running.
    func adopt(_ settings: String, restarting: Bool) {
        state.withLock {
            $0.settings = settings
            // Also when they are the same: files that they name may have changed.
            $0.sentSettings = nil
            $0.mustRestart = $0.mustRestart || restarting
        }
        wake.signal()
    }

    /// Hands on the names of what is wrong in the house, if they are others than before.
    func tell(findings: [String]) {
        let isNews = state.withLock { state in
            defer { state.findings = findings }
            return state.findings != findings
        }
        if isNews { wake.signal() }
    }

    /// Takes over a report that was asked for.
    func adopt(report: JSON) {
        let now = Clock.now
        state.withLock { $0.view.report = ForwardReport(report, at: now) }
    }

    /// Asks; nil when nobody is there to answer, or too much is being asked already. The answer comes with ``takeAnswer(_:)``.
    func ask(_ question: ForwardQuestion, _ parameters: JSON) -> Int64? {
        let id = state.withLock { state -> Int64? in
            guard state.view.pid != nil, state.questions.count + state.answers.count < Self.outstandingLimit else {
                return nil
            }
            let id = state.nextQuestion
            state.nextQuestion += 1
            state.questions[id] = Clock.now + (question == .report ? Self.reportPatience : Self.patience)
            state.orders.append(.question(id: id, question, parameters))
            return id
        }
        if id != nil { wake.signal() }
        return id
    }

    /// The answer to a question, once; nil while it is not there yet.
    func takeAnswer(_ id: Int64) -> ForwardAnswer? {
        state.withLock { state in
            if let answer = state.answers.removeValue(forKey: id) { return answer }
            guard let end = state.questions[id] else { return .failure("the question was lost; ask again") }
            guard Clock.now >= end else { return nil }
            state.questions[id] = nil
            return .failure(state.view.whyUnanswered)
        }
    }

    /// Nobody waits for the answer any more.
    func forget(_ id: Int64) {
        state.withLock {
            $0.questions[id] = nil
            $0.answers[id] = nil
        }
    }

    /// Asks the child to stop.
    func askToStop() {
        state.withLock {
            guard !$0.isStopping else { return }
            $0.isStopping = true
            $0.orders.append(.stop)
        }
        wake.signal()
    }

    /// Asks the child to stop, waits for it, at most `nanoseconds`, and ends it then.
    func stop(within nanoseconds: Int64) {
        askToStop()
        let deadline = Clock.bootNanoseconds + nanoseconds
        while !hasEnded.load(ordering: .acquiring), Clock.bootNanoseconds < deadline { Clock.sleep(5_000_000) }
        if let pid = view.pid, !hasEnded.load(ordering: .acquiring) { kill(pid, SIGKILL) }
    }

    // MARK: The thread

    private func run(_ listener: Listener) {
        var pause = RestartPause()
        sleep(until: Clock.now + Self.headStart)
        while !state.withLock({ $0.isStopping }) {
            let began = Clock.now
            let ending: String
            do throws(SpawnedProcess.Failure) {
                let again = pause.isLooping ? [ForwardCommand.again] : []
                let child = try SpawnedProcess.start([ForwardCommand.name] + again)
                state.withLock { state in
                    (state.view.pid, state.view.since, state.view.heardAt) = (child.pid, began, began)
                    (state.view.nextStart, state.sentSettings, state.mustRestart) = (nil, nil, false)
                    state.sentFindings = []
                    // Its predecessor's.
                    (state.view.report.standstill, state.view.report.links) = (nil, [])
                }
                ending = serve(child, listener)
            } catch {
                ending = "cannot be started: \(error)"
            }
            listener.cloudLink(false)
            let isWanted = state.withLock { $0.mustRestart }
            let delay = isWanted ? .zero : pause.next(afterLife: Clock.now - began)
            note(ending, delay, isWanted: isWanted)
            listener.news()
            if !isWanted { sleep(until: Clock.now + delay) }
        }
    }

    private func note(_ ending: String, _ delay: Duration, isWanted: Bool) {
        let (isStopping, isNew) = state.withLock { state in
            let isNew = state.view.ending != ending
            (state.view.pid, state.view.since) = (nil, Clock.now)
            state.view.nextStart = Clock.now + delay
            if !isWanted { (state.view.ending, state.view.failedAt) = (ending, Clock.now) }
            state.view.restarts += 1
            // The next one counts from nothing.
            state.view.carried = View.sum(state.view.carried, state.view.report.counters)
            state.view.report.counters = .null
            // Nobody will answer what the last one was asked.
            for id in state.questions.keys { state.answers[id] = .failure(state.view.whyUnanswered) }
            state.questions = [:]
            state.orders.removeAll { if case .question = $0 { true } else { false } }
            return (state.isStopping, isNew || state.view.restarts % 10 == 0)
        }
        if isWanted { logger.notice("the recording side starts again, with the new settings") }
        guard !isStopping, isNew, !isWanted else { return }
        logger.error(
            "the recording side \(ending); heating goes on, it is started again",
            metadata: ["restarts": "\(view.restarts)"])
    }

    /// Talks to a child until it is gone or has to go. - Returns: how it ended.
    private func serve(_ child: SpawnedProcess, _ listener: Listener) -> String {
        defer { close(child.descriptor) }
        var input = MessageBuffer()
        var output: [UInt8] = []
        var turnedAt = Clock.now
        while true {
            collectOrders(into: &output)
            var polled = [
                pollfd(fd: child.descriptor, events: Int16(output.isEmpty ? POLLIN : POLLIN | POLLOUT), revents: 0),
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            poll(&polled, 2, pause())
            if polled[1].revents != 0 { wake.clear() }
            let now = Clock.now
            if now - turnedAt > Self.absence { state.withLock { $0.view.heardAt = now } }
            turnedAt = now
            if polled[0].revents & Int16(POLLOUT) != 0 { write(&output, to: child.descriptor) }
            if polled[0].revents & ~Int16(POLLOUT) != 0 {
                do throws(MessageBuffer.Failure) {
                    try input.fill(from: child.descriptor)
                    while let message = try input.next() { hear(message, listener) }
                } catch {
                    // It has closed its socket because it is ending; one that talks nonsense must end.
                    return child.reap(within: error == .ended ? 1_000_000_000 : 0)
                }
            }
            if let reason = reasonToEnd(unsent: output.count) {
                return "\(reason) and \(child.reap(within: 0))"
            }
            if state.withLock({ $0.mustRestart && !$0.isStopping }) {
                return restart(child, &output)
            }
        }
    }

    /// Milliseconds that this side may sleep: less than ``absence``, and not past the moment when silence is too long.
    private func pause() -> Int32 {
        let heardAt = view.heardAt ?? Clock.now
        let left = (heardAt + Self.silence - Clock.now).wholeNanoseconds / 1_000_000 + 1
        return left > 0 ? Int32(clamping: min(left, 4_000)) : 1_000
    }

    /// For settings that only a new process takes: asks the child to end, which commits what it holds.
    private func restart(_ child: SpawnedProcess, _ output: inout [UInt8]) -> String {
        output += MessageBuffer.encode(ForwardOrder.stop.json)
        write(&output, to: child.descriptor)
        return child.reap(within: 4_000_000_000)
    }

    private func collectOrders(into output: inout [UInt8]) {
        let orders = state.withLock { state -> [ForwardOrder] in
            var orders = state.orders
            state.orders = []
            if state.sentFindings != state.findings {
                state.sentFindings = state.findings
                orders.insert(.findings(state.findings), at: 0)
            }
            if state.sentSettings != state.settings, !state.mustRestart {
                state.sentSettings = state.settings
                orders.insert(.settings(state.settings), at: 0)
            }
            return orders
        }
        for order in orders { output += MessageBuffer.encode(order.json) }
    }

    private func write(_ output: inout [UInt8], to descriptor: Int32) {
        let count = send(descriptor, output, output.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        if count > 0 { output.removeFirst(count) }
    }

    private func hear(_ message: JSON, _ listener: Listener) {
        state.withLock { $0.view.heardAt = Clock.now }
        switch ForwardEvent(message) {
        case .cloudLink(let isUp): listener.cloudLink(isUp)
        case .command(let room, let command): listener.command(room, command)
        case .report(let report): adopt(report: report)
        case .answer(let id, let answer):
            state.withLock { state in
                // Otherwise nobody waits for it any more.
                if state.questions.removeValue(forKey: id) != nil { state.answers[id] = answer }
            }
            listener.news()
        case nil: break
        }
    }

    /// Why the child must go; nil while it does its work.
    private func reasonToEnd(unsent: Int) -> String? {
        let (view, isStopping, settings) = state.withLock { ($0.view, $0.isStopping, $0.settings) }
        if isStopping { return nil }
        if unsent > Self.unsentLimit + 2 * settings.utf8.count { return "did not listen" }
        let now = Clock.now
        if let heardAt = view.heardAt, now - heardAt > Self.silence {
            return "said nothing for \((now - heardAt).spoken)"
        }
        if let still = view.report.standstill, still > Self.standstill { return "stood still for \(still.spoken)" }
        return nil
    }

    private func sleep(until end: Instant) {
        while Clock.now < end {
            if state.withLock({ $0.isStopping || $0.mustRestart }) { return }
            var polled = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)]
            poll(&polled, 1, Int32(clamping: max(1, (end - Clock.now).wholeNanoseconds / 1_000_000)))
            if polled[0].revents != 0 { wake.clear() }
        }
    }
}
