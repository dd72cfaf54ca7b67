import EventLog
import Heating
import Influx
import Logging
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
    private let group: String
    private let instance: String?
    private let log: any EventLog
    private let writer: InfluxWriter
    private let names: LogTopics
    private let makeStage: @Sendable () -> any Stage
    private let logger: Logger
    private let isStopping = Atomic(false)
    private let hasEnded = Atomic(false)

    /// - Parameters:
    ///   - group: the consumer group; replicas share it.
    ///   - instance: a stable name of this replica, for static membership; nil without.
    init(
        name: String, group: String, instance: String?, log: any EventLog, writer: InfluxWriter, names: LogTopics,
        logger: Logger, makeStage: @escaping @Sendable () -> any Stage
    ) {
        self.name = name
        self.group = group
        self.instance = instance
        self.log = log
        self.writer = writer
        self.names = names
        self.logger = logger
        self.makeStage = makeStage
        metrics = PipelineMetrics(name: name)
    }

    func start() {
        startThread(name) { [self] in
            run()
            hasEnded.store(true, ordering: .releasing)
        }
    }

    /// Finishes the batch at hand and ends; the caller stops the writer if that takes too long.
    func stop() { isStopping.store(true, ordering: .relaxed) }

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
        var events: [StoredEvent]
        var output: StageOutput
    }

    /// Reads until something breaks or the end; a new reader starts from the commits, with a stage that knows nothing.
    private func consume() throws {
        let reader = try log.reader(group: group, topics: makeStage().topics, instance: instance)
        defer { reader.close() }
        var stage = makeStage()
        var pending: Pending?
        while !mustStop {
            let batch = try read(reader, within: pending == nil ? Self.readNanoseconds : Self.pendingNanoseconds)
            if !batch.revoked.isEmpty {
                try finish(&pending, reader)
                stage.revoked(batch.revoked)
            }
            if stage.needsReached, !batch.assigned.isEmpty {
                var reached: [TopicPartition: Int64] = [:]
                for position in batch.assigned { reached[position] = try reader.reached(position) }
                stage.assigned(reached)
            }
            metrics.turned()
            if batch.events.isEmpty { try finish(&pending, reader) }
            let output = metrics.computing {
                batch.events.isEmpty ? stage.idle() : stage.process(batch.events)
            }
            if output.isEmpty { continue }
            let next = Pending(
                ticket: try writer.submit(output.points, lingers: false), events: batch.events, output: output)
            try finish(&pending, reader)
            pending = next
        }
        try finish(&pending, reader)
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
    private func finish(_ pending: inout Pending?, _ reader: any EventReader) throws {
        guard let done = pending else { return }
        pending = nil
        let result = try writer.wait(done.ticket)
        var events = done.output.events
        for rejected in result.rejected {
            guard rejected.index < done.events.count else { continue }
            events.append(deadLetter(done.events[rejected.index], "database: \(rejected.reason)"))
        }
        for rejected in done.output.rejected {
            events.append(deadLetter(done.events[rejected.source], rejected.reason))
        }
        try commit(done.output, appending: events, reader)
        metrics.finished(done.output, stored: result.stored, rejected: result.rejected.count, read: done.events.count)
    }

    private func commit(
        _ output: StageOutput, appending events: [Event], _ reader: any EventReader
    ) throws(EventLogError) {
        while true {
            do throws(EventLogError) {
                return try reader.commit(output.commit, reached: output.reached, appending: events)
            } catch {
                guard error.isTransient, !mustStop else { throw error }
                metrics.failed("\(error)")
                logger.warning("committing; trying again", metadata: ["error": "\(error)"])
                pause()
            }
        }
    }

    private func deadLetter(_ stored: StoredEvent, _ reason: String) -> Event {
        DeadLetter(
            key: stored.event.key ?? stored.event.topic, source: "\(stored.position)@\(stored.offset)",
            reason: "\(name): \(reason)", bytes: stored.event.value.map { Array($0) } ?? []
        ).event(topic: names.deadLetter)
    }

    /// A second, or less when it is time to go.
    private func pause() {
        let until = CloudClock.bootNanoseconds + Self.retryNanoseconds
        while !mustStop, CloudClock.bootNanoseconds < until { CloudClock.sleep(20_000_000) }
    }
}
