import Heating
import Logging
import MQTT
import Machine
import Synchronization

/// Looks at the home broker for devices when somebody asks: a connection of its own, for a while, so that neither a flood nor
/// a long list can delay Control. One search at a time; who asks meanwhile gets the same one.
final class BrokerSearch: Sendable {
    static let longest = 600

    /// What there is to say of the search that runs, or of the last one.
    struct Progress: Sendable {
        var isLooking = false
        var endsAt = Instant.zero
        var topics = 0
        /// Messages that there was no room for.
        var missed = 0
        /// Why less was seen than there may be; nil when all went well.
        var problem: Sentence?
        var found: [FoundDevice] = []

        func secondsLeft(now: Instant) -> Int64 {
            isLooking ? max(0, (endsAt - now).components.seconds + 1) : 0
        }
    }

    private let logger: Logger
    private let progress = Mutex<Progress?>(nil)

    init(logger: Logger) { self.logger = logger }

    /// The search's progress; starts one when none has run, or when another is wanted and none is running.
    /// - Parameter again: what the last one found is not enough.
    func look(for seconds: Int, again: Bool, in configuration: Configuration, file: ConfigurationSource) -> Progress {
        let now = Clock.now
        let (current, starts) = progress.withLock { progress -> (Progress, Bool) in
            if let running = progress, running.isLooking || !again { return (running, false) }
            let fresh = Progress(isLooking: true, endsAt: now + .seconds(seconds))
            progress = fresh
            return (fresh, true)
        }
        if starts { startThread("device-search") { [self] in run(until: current.endsAt, configuration, file) } }
        return current
    }

    private func run(until end: Instant, _ configuration: Configuration, _ file: ConfigurationSource) {
        let shared = SearchSession.Shared()
        let prefix = configuration.homeAssistant.prefix
        let connection = Connection(.search(configuration), name: "search") {
            SearchSession(filters: DeviceSearch.filters(prefix: prefix), shared: shared)
        }
        var problem: Sentence?
        do throws(StartError) {
            try connection.start()
            while Clock.now < end {
                Clock.sleep(100_000_000)
                let heard = shared.heard.withLock { ($0.topics.count, $0.topics.missed) }
                progress.withLock {
                    $0?.topics = heard.0
                    $0?.missed = heard.1
                }
            }
            connection.stop(within: 1_000_000_000)
        } catch {
            problem = Sentence(LinkSentence.searchNotStarted, ["problem": .text("\(error)")])
        }
        let contents = shared.heard.withLock { contents in
            defer { contents = .init() }
            return contents
        }
        problem = problem ?? contents.problem
        if contents.topics.missed > 0, problem == nil {
            problem = Sentence(LinkSentence.passedOver, ["count": .count(contents.topics.missed)])
        }
        // What was written since the last reload is not found once more.
        let devices = ((try? file.read()) ?? configuration).devices
        let search = DeviceSearch(
            contents.topics, rules: devices.rules, pumps: devices.pumps, prefix: prefix, arrival: Clock.wall)
        let found = search.found
        logger.info(
            "looked for devices", metadata: ["topics": "\(contents.topics.count)", "found": "\(found.count)"])
        progress.withLock {
            $0 = Progress(
                isLooking: false, endsAt: end, topics: contents.topics.count, missed: contents.topics.missed,
                problem: problem, found: found)
        }
    }
}

/// The search's connection: takes in what comes, answers nothing.
private final class SearchSession: ConnectionHandler {
    struct Contents: Sendable {
        var topics = HeardTopics()
        var problem: Sentence?
    }

    /// Written by the connection's thread, read by the search's.
    final class Shared: Sendable {
        let heard = Mutex(Contents())
    }

    private let filters: [String]
    private let shared: Shared
    private var asked: [Int32: String] = [:]

    init(filters: [String], shared: Shared) { (self.filters, self.shared) = (filters, shared) }

    func connected(_ link: Link, sessionPresent: Bool) {
        asked = [:]
        // Each by itself: a broker that refuses one gives the others.
        for filter in filters {
            guard let packet = try? link.subscribe([filter], qos: 0) else { continue }
            asked[packet] = filter
        }
        say(nil)
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        guard let filter = asked[packetID], let refusal = reasons.first(where: { !$0.isSuccess }) else { return }
        say(
            Sentence(
                LinkSentence.notEverything,
                [
                    "topic": .text(filter), "reason": .text("\(refusal)"), "line": .text("topic read \(filter)"),
                ]))
    }

    func received(_ batch: [Message], on link: Link) throws {
        shared.heard.withLock { contents in
            for message in batch {
                contents.topics.hear(message.topic, message.payload, isRetained: message.isRetained)
            }
        }
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        if cause.kind != .dropped { say(Sentence(LinkSentence.noHomeBroker, ["problem": .sentence(cause.said)])) }
        return 1_000_000_000
    }

    private func say(_ problem: Sentence?) { shared.heard.withLock { $0.problem = problem } }
}
