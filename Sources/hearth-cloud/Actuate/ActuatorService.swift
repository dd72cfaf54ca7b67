import EventLog
import Heating
import Logging
import MQTT
import Machine
import Prometheus
import Synchronization

/// Commands that left, for `/metrics`.
final class PublishedCounter: Sendable {
    private let count = Atomic(0)
    func add() { count.wrappingAdd(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// P3, `hearth-cloud actuate`: reads `clean-data`, decides with the home's own thermostat, commands by the cloud broker.
///
/// Progress is committed as soon as the decisions are handed over: a decision that is lost in a crash is made again
/// from the next reading, and one made twice changes nothing.
final class ActuatorService: ProbedService {
    private static let name = "p3-actuator"
    private static let readNanoseconds: Int64 = 250_000_000
    private static let stillNanoseconds: Int64 = 60_000_000_000
    private static let batchLimit = 5000

    private let log: any EventLog
    private let connection: Connection
    private let queue: ActuatorQueue
    private let counter: PublishedCounter
    private let topics: LogTopics
    private let settings: Thermostat.Settings
    private let maximumAge: Duration
    private let instance: String?
    private let logger: Logger
    private let isStopping = Atomic(false)
    private let logState = Mutex(Reachability())
    private let view = Mutex(View())

    private struct View {
        var rooms = 0
        var read = 0
        var skipped: [String: Int] = [:]  // Own names: reasons.
        var lastTurn: Int64?
        var failure: String?
    }

    init(
        log: any EventLog, topics: LogTopics, broker: ConnectionSettings, settings: Thermostat.Settings,
        maximumAge: Duration, pause: Duration, instance: String?, logger: Logger
    ) {
        let queue = ActuatorQueue()
        let counter = PublishedCounter()
        self.log = log
        self.queue = queue
        self.counter = counter
        self.topics = topics
        self.settings = settings
        self.maximumAge = maximumAge
        self.instance = instance
        self.logger = logger
        connection = Connection(broker, name: "actuate") {
            ActuatorLink(
                queue: queue, validity: settings.refresh * 3, pause: pause, counter: counter, logger: logger)
        }
    }

    func start() throws {
        try connection.start()
        startThread("actuate-read") { [self] in run() }
        startThread("watch-log") { [self] in
            while !isStopping.load(ordering: .relaxed) {
                logState.ask { try log.probe() }
                Clock.sleep(100_000_000)
            }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        connection.stop(within: 1_500_000_000)
        log.close()
    }

    // MARK: The loop

    private func run() {
        while !isStopping.load(ordering: .relaxed) {
            do {
                try consume()
            } catch {
                view.withLock { $0.failure = "\(error)" }
                logger.error("reading the event log; trying again", metadata: ["error": "\(error)"])
                for _ in 0..<50 where !isStopping.load(ordering: .relaxed) { Clock.sleep(20_000_000) }
            }
        }
    }

    private func consume() throws(EventLogError) {
        let reader = try log.reader(group: topics.group(Self.name), topics: [topics.clean], instance: instance)
        defer { reader.close() }
        var actuator = Actuator(settings: settings, maximumAge: maximumAge)
        while !isStopping.load(ordering: .relaxed) {
            let batch = try reader.read(atMost: Self.batchLimit, within: Self.readNanoseconds)
            let (now, wall) = (Clock.now, Clock.wall)
            var decided = 0
            for stored in batch.events {
                let taken = actuator.take(stored.value, appendedAt: stored.appendedAt, wall: wall, now: now)
                guard let (place, decision) = taken else { continue }
                queue.put(decision, for: place)
                decided += 1
            }
            for (place, decision) in actuator.tick(now: now) {
                queue.put(decision, for: place)
                decided += 1
            }
            if decided > 0 { connection.wake() }
            if !batch.events.isEmpty { try reader.commit(batch.nextOffsets) }
            view.withLock {
                $0.rooms = actuator.roomCount
                $0.read += batch.events.count
                $0.skipped = actuator.skipped
                $0.lastTurn = Clock.bootNanoseconds
                $0.failure = nil
            }
        }
    }

    // MARK: For the probes

    var standstill: String? {
        guard let last = view.withLock({ $0.lastTurn }) else { return nil }
        let still = Clock.bootNanoseconds - last
        // The log's own waits are bounded by less.
        return still > Self.stillNanoseconds ? "\(Self.name) has not turned for \(still / 1_000_000_000) s" : nil
    }

    var hindrances: [String] {
        var hindrances: [String] = []
        switch connection.state {
        case .connected: break
        case .waiting(_, let error): hindrances.append("cloud broker: \(error)")
        default: hindrances.append("cloud broker: connecting")
        }
        let (view, state) = (view.withLock { $0 }, logState.withLock { $0 })
        if let problem = state.problem(now: Clock.bootNanoseconds) { hindrances.append("event log: \(problem)") }
        if let failure = view.failure { hindrances.append("event log: \(failure)") }
        if view.lastTurn == nil { hindrances.append("\(Self.name): has not read the event log yet") }
        return hindrances
    }

    var samples: [MetricSample] {
        let view = view.withLock { $0 }
        let waiting = queue.waiting
        func sample(_ name: String, _ help: String, _ kind: MetricSample.Kind, _ value: Int) -> MetricSample {
            .init(name: name, help: help, kind: kind, value: Double(value))
        }
        return [
            sample("hearth_actuator_events_read_total", "Events read from clean-data.", .counter, view.read),
            sample("hearth_actuator_commands_published_total", "Commands sent to homes.", .counter, counter.value),
            sample(
                "hearth_actuator_commands_replaced_total", "Commands replaced by a newer one before they were sent.",
                .counter, waiting.replaced),
            sample("hearth_actuator_pending_rooms", "Rooms whose newest command waits.", .gauge, waiting.count),
            sample("hearth_actuator_rooms", "Rooms that are decided for.", .gauge, view.rooms),
        ]
            + view.skipped.sorted { $0.key < $1.key }.map {
                .init(
                    name: "hearth_actuator_skipped_total", help: "Events that made no decision, by reason.",
                    kind: .counter, labels: [("reason", $0.key)], value: Double($0.value))
            } + log.status.samples
    }
}
