import EventLog
import Heating
import Influx
import Logging
import Machine
import Synchronization

/// Runs one stage on a thread of its own: read → transform → write points → append events → commit, in this order, so
/// that whatever crashes in between is done again and, being idempotent, changes nothing.
///
/// While the database works on one batch the next is read and transformed; more than two are never held, and while
/// the database is away nothing is read at all: the log is the buffer.
final class PipelineRunner: Sendable {
    static let batchLimit = 5000
    /// How long a read waits for events.
    private static let readNanoseconds: Int64 = 250_000_000
    /// The same while a batch is under way, which is waited for and committed when the log has no more.
    private static let pendingNanoseconds: Int64 = 5_000_000
    private static let retryNanoseconds: Int64 = 1_000_000_000

    let name: String
    let metrics: PipelineMetrics
    let held: HeldPoints
    private let group: String
    private let instance: String?
    /// What became of each home's records; nil for a pipeline that does not account for them.
    let book: StoredBook?
    private let log: any EventLog
    private let writer: InfluxWriter
    private let names: LogTopics
    private let makeStage: @Sendable () -> any Stage
    private let logger: Logger
    private let share: LetterShare
    private let isStopping = Atomic(false)
    private let hasEnded = Atomic(false)

    /// - Parameters:
    ///   - group: the consumer group; replicas share it.
    ///   - instance: a stable name of this replica, for static membership; nil without.
    ///   - heldLimit: how many points may wait aside for a field's type.
    init(
        name: String, group: String, instance: String?, book: StoredBook? = nil, heldLimit: Int = HeldPoints.limit,
        log: any EventLog, writer: InfluxWriter, names: LogTopics, logger: Logger,
        makeStage: @escaping @Sendable () -> any Stage
    ) {
        self.name = name
        self.group = group
        self.instance = instance
        self.book = book
        self.log = log
        self.writer = writer
        self.names = names
        self.logger = logger
        self.makeStage = makeStage
        share = LetterShare(pipeline: name, logger: logger)
        metrics = PipelineMetrics(name: name)
        held = HeldPoints(
            pipeline: name, book: book, log: log, writer: writer, topics: names, limit: heldLimit, logger: logger)
    }

    func start() {
        held.start()
        startThread(name) { [self] in
            run()
            hasEnded.store(true, ordering: .releasing)
        }
    }

    /// Finishes the batch at hand and ends; the caller stops the writer if that takes too long.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        held.stop()
    }

    var isFinished: Bool { hasEnded.load(ordering: .acquiring) }

    /// Why the process should be restarted: the stage or the writer's thread has not got on since `limit` nanoseconds.
    func standstill(now: Int64, limit: Int64) -> String? {
        if let since = metrics.snapshot.computingSince, now - since > limit {
            return "\(name): the stage has been computing for \((now - since) / 1_000_000_000) s"
        }
        if !isFinished, let turn = writer.status.lastTurn, now - turn > limit {
            return "\(name): the writer's loop has not turned for \((now - turn) / 1_000_000_000) s"
        }
        return nil
    }

    private var mustStop: Bool { isStopping.load(ordering: .relaxed) }

    // MARK: The loop

    private func run() {
        while !mustStop {
            do {
                try consume()
            } catch let error as EventLogError {
                metrics.failed("\(error)")
                logger.error("reading the event log; trying again", metadata: ["error": "\(error)"])
                pause()
            } catch {
                if !mustStop { logger.error("writing points; trying again", metadata: ["error": "\(error)"]) }
                pause()
            }
        }
    }

    /// A batch whose points are on their way.
    private struct Pending {
        var ticket: Ticket
        var events: [Event]
        var output: StageOutput
    }

    /// Reads until something breaks or the end; a new reader starts from the commits, with a stage that knows nothing.
    private func consume() throws {
        let reader = try log.reader(group: group, topics: makeStage().topics, instance: instance)
        defer { reader.close() }
        var stage = makeStage()
        var pending: Pending?
        var progress = RunProgress()
        while !mustStop {
            let batch = try read(reader, within: pending == nil ? Self.readNanoseconds : Self.pendingNanoseconds)
            if !batch.revoked.isEmpty {
                try finish(&pending, reader, &progress)
                stage.revoked(batch.revoked)
                book?.revoked(batch.revoked)
                progress.revoked(batch.revoked)
            }
            if stage.needsReached || book != nil, !batch.assigned.isEmpty {
                for position in batch.assigned { progress.before[position] = try reader.reached(position) }
                stage.assigned(progress.before.filter { batch.assigned.contains($0.key) })
            }
            metrics.turned()
            if batch.events.isEmpty {
                try finish(&pending, reader, &progress)
                try commitPublished(reader, &progress)
            }
            let output = metrics.computing {
                batch.events.isEmpty ? stage.idle() : stage.process(batch.events)
            }
            if output.isEmpty { continue }
            let next = Pending(
                ticket: try writer.submit(output.points, lingers: false), events: batch.events, output: output)
            try finish(&pending, reader, &progress)
            pending = next
        }
        try finish(&pending, reader, &progress)
    }

    private func read(_ reader: any EventReader, within nanoseconds: Int64) throws(EventLogError) -> EventBatch {
        while true {
            do throws(EventLogError) {
                return try reader.read(atMost: Self.batchLimit, within: nanoseconds)
            } catch {
                guard error.isTransient, !mustStop else { throw error }
                metrics.failed("\(error)")
                pause()
            }
        }
    }

    /// Waits for the points, then hands on the events and commits.
    private func finish(_ pending: inout Pending?, _ reader: any EventReader, _ progress: inout RunProgress) throws {
        guard var done = pending else { return }
        pending = nil
        let result = try writer.wait(done.ticket)
        let waiting = result.rejected.filter { !$0.refusal.isFinal }
        guard waiting.isEmpty || self.held.waitForRoom(unless: { mustStop }) else {
            throw EventLogError(.closed, "The pipeline was stopped.")
        }
        var letters: [DeadLetter] = []
        var reasons: [String: Int] = [:]  // Own names: reasons.
        for point in result.rejected where point.refusal.isFinal && !isRepeated(point.index, done, progress) {
            letters.append(DeadLetter(point, of: done.events, by: name, names))
            reasons[point.refusal.rawValue, default: 0] += 1
        }
        let readings = takeReadings(&done, progress)
        for rejected in done.output.rejected
        where rejected.reason != UnusableEvent.unknownZone && !isRepeated(rejected.source, done, progress) {
            letters.append(DeadLetter(done.events[rejected.source], rejected.reason, by: name))
            reasons[rejected.reason, default: 0] += 1
        }
        let held = waiting.filter { !isRepeated($0.index, done, progress) }
        try keep(letters)
        try keep(held.map { DeadLetter($0, of: done.events, by: name, names) } + readings, mustBeKept: true)
        self.held.hold(held)
        self.held.hold(readings)
        try commit(noted(done, result, progress), &progress, reader)
        metrics.finished(done.output, stored: result.stored, rejected: reasons, read: done.events.count)
    }

    /// Readings that wait for their zone, as far as there is room for those of their home; the others are dead letters like any.
    private func takeReadings(_ done: inout Pending, _ progress: RunProgress) -> [DeadLetter] {
        var taken = UnknownZones()
        var readings: [DeadLetter] = []
        for index in done.output.rejected.indices where done.output.rejected[index].reason == UnusableEvent.unknownZone
        {
            let source = done.output.rejected[index].source
            if isRepeated(source, done, progress) { continue }
            let letter = DeadLetter(done.events[source], UnusableEvent.unknownZone, by: name, isWhole: true)
            if held.hasRoom(for: letter, beside: taken) {
                taken.note(letter)
                readings.append(letter)
            } else {
                done.output.rejected[index].reason = UnusableEvent.tooManyUnknownZones
            }
        }
        return readings
    }

    private func isRepeated(_ source: Int, _ done: Pending, _ progress: RunProgress) -> Bool {
        source < done.events.count && progress.isRepeated(done.events[source])
    }

    // MARK: The account

    /// Takes note of what became of a batch's records. - Returns: what to commit of it.
    private func noted(_ done: Pending, _ result: WriteResult, _ progress: RunProgress) -> StageOutput {
        guard let book else { return done.output }
        let fates = RecordFates(done.output, of: done.events, rejected: result.rejected, names).ranges
        let now = Clock.bootNanoseconds
        book.note(fates, reached: done.output.commit, now: now)
        var output = done.output
        let published = book.commitable(now: now)
        for (position, next) in done.output.commit {
            // A log that keeps the one with the other wants an offset each time.
            let first = done.events.first { $0.position == position }?.offset ?? next
            output.commit[position] = max(progress.committed[position] ?? first, min(published[position] ?? 0, next))
            output.reached[position] = max(next, progress.before[position] ?? 0)
        }
        return output
    }

    /// Commits what has been published since, when there is time.
    private func commitPublished(_ reader: any EventReader, _ progress: inout RunProgress) throws(EventLogError) {
        guard let book else { return }
        var output = StageOutput()
        output.commit = book.commitable(now: Clock.bootNanoseconds).filter {
            $0.value > progress.committed[$0.key] ?? 0
        }
        guard !output.commit.isEmpty else { return }
        for (position, next) in book.reached where output.commit[position] != nil {
            output.reached[position] = max(next, progress.before[position] ?? 0)
        }
        try commit(output, &progress, reader)
    }

    /// Appends dead letters. One that the log refuses stops nobody: it is shortened, then counted, as is what is beyond its
    /// home's share; the event that it tells of is still in its own topic. What has to be written later is held up instead.
    private func keep(_ all: [DeadLetter], mustBeKept: Bool = false) throws(EventLogError) {
        let letters = mustBeKept ? all : share.taking(all, now: Clock.now)
        for _ in letters.count..<all.count { metrics.refusedDeadLetter() }
        guard !letters.isEmpty else { return }
        if try append(letters, untilTaken: mustBeKept) { return }
        for letter in letters {
            if try append([letter], untilTaken: mustBeKept) { continue }
            if try append([letter.shortened], untilTaken: false) { continue }
            metrics.refusedDeadLetter()
            logger.error(
                "the event log does not take a dead letter",
                metadata: ["source": "\(letter.source)", "reason": "\(letter.reason)", "sha256": "\(letter.hash)"])
        }
    }

    /// - Returns: false if one is too large for the log, or, unless they must be kept, if the log refuses them for another reason
    ///   than being away or full.
    private func append(_ letters: [DeadLetter], untilTaken: Bool) throws(EventLogError) -> Bool {
        let events = letters.map { $0.event(topic: names.deadLetter) }
        while true {
            do throws(EventLogError) {
                try log.append(events)
                return true
            } catch {
                if error.code == .closed || error.code == .fenced || mustStop { throw error }
                metrics.failed("\(error)")
                switch error.code {
                case .tooLarge: return false
                case .unreachable, .notEnoughReplicas, .restarted, .full, .storage: break
                default: if !untilTaken { return false }
                }
                logger.warning("keeping dead letters; trying again", metadata: ["error": "\(error)"])
                pause()
            }
        }
    }

    private func commit(
        _ output: StageOutput, _ progress: inout RunProgress, _ reader: any EventReader
    ) throws(EventLogError) {
        var events = output.events
        while true {
            do throws(EventLogError) {
                try reader.commit(output.commit, reached: output.reached, appending: events)
                for (position, next) in output.commit { progress.committed[position] = next }
                return
            } catch {
                if error.code == .tooLarge, let index = error.eventIndex, events.indices.contains(index) {
                    // One event stops nobody.
                    let event = events.remove(at: index)
                    let letter = DeadLetter(
                        key: event.key ?? event.topic, source: event.topic,
                        reason: "\(name): too_large: \(error.message)",
                        bytes: event.value.map { Array($0) } ?? [], pipeline: name)
                    try keep([letter])
                    continue
                }
                guard error.isTransient, !mustStop else { throw error }
                metrics.failed("\(error)")
                logger.warning("committing; trying again", metadata: ["error": "\(error)"])
                pause()
            }
        }
    }

    /// A second, or less when it is time to go.
    private func pause() {
        let until = Clock.bootNanoseconds + Self.retryNanoseconds
        while !mustStop, Clock.bootNanoseconds < until { Clock.sleep(20_000_000) }
    }
}
