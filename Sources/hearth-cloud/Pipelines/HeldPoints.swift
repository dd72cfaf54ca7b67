import EventLog
import Heating
import Influx
import Logging
import Machine
import Synchronization

/// Points of a pipeline that the database does not take because it has their field with another type, or for a reason in
/// words that nobody here knows.
///
/// Somebody has to mend the database; until then no other series waits for them. They are dead letters that come back by
/// themselves: one line of each measurement, or of each series where the reason is not known, is tried now and then, and once
/// one is taken, all are written and noted as dealt with. Readings whose zone this program does not know wait with them
/// (``UnknownZones``).
///
/// So many and no more: dead letters have a bounded place. Beyond that the pipeline itself waits, and the log is the buffer.
final class HeldPoints: Sendable {
    /// Between two attempts.
    private static let retryNanoseconds: Int64 = 10_000_000_000
    /// Between two looks whether there are other dead letters: another replica may have held some, or a person dropped them.
    private static let lookNanoseconds: Int64 = 2_000_000_000
    /// The count is taken again when there are, and now and then in any case. It may cost a twentieth of the time.
    private static let recountNanoseconds: Int64 = 600_000_000_000
    private static let recountWaitingNanoseconds: Int64 = 60_000_000_000
    private static let recountShare: Int64 = 20
    /// Where others have changed something a person may be waiting, so this may cost a fifth; on Kafka it is mostly waiting, too.
    private static let changeShare: Int64 = 4
    private static let batchLimit = 5000
    private static let readingsLimit = 1000
    /// Measurements and series of which a line is kept to try.
    fileprivate static let probeLimit = 100
    /// How many may wait here, of a pipeline. They take some 50 MiB of the dead letters' place.
    static let limit = 100_000
    static let reasonClass = "field type conflict"
    static let unclearClass = "unclear refusal"
    static let classes: Set = [reasonClass, unclearClass]

    /// What the reason of such a point's dead letter begins with.
    static func reasonClass(of refusal: Refusal) -> String { refusal == .unclear ? unclearClass : reasonClass }

    fileprivate struct Contents {
        var count = 0
        var reason: String?
        /// Some wait for a reason that is not known.
        var isUnclear = false
        /// One line per measurement or series.
        var probes: [[UInt8]: [UInt8]] = [:]
        /// Why they cannot be read back; nil while they can.
        var obstacle: String?
    }

    private let pipeline: String
    private let book: StoredBook?
    private let log: any EventLog
    private let writer: InfluxWriter
    private let topics: LogTopics
    private let limit: Int
    private let logger: Logger
    private let zones = Mutex(UnknownZones())
    private let contents = Mutex(Contents())
    private let isStopping = Atomic(false)
    private let mustRecount = Atomic(false)

    /// - Parameter book: told what became of the records; nil without one.
    init(
        pipeline: String, book: StoredBook? = nil, log: any EventLog, writer: InfluxWriter, topics: LogTopics,
        limit: Int = HeldPoints.limit, logger: Logger
    ) {
        self.limit = limit
        self.pipeline = pipeline
        self.book = book
        self.log = log
        self.writer = writer
        self.topics = topics
        self.logger = logger
    }

    func start() { startThread("held-\(pipeline)") { [self] in run() } }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Somebody has dealt with dead letters: the count is taken again at once.
    func recount() { mustRecount.store(true, ordering: .relaxed) }

    /// How many wait, as far as this process knows.
    var count: Int { contents.withLock { $0.count } }

    /// Blocks while no more may wait here: then the pipeline does. - Returns: false if it is to stop before there is room.
    func waitForRoom(unless mustStop: () -> Bool) -> Bool {
        while count >= limit {
            if mustStop() { return false }
            Clock.sleep(100_000_000)
        }
        return true
    }

    /// What a person has to do; nil while none waits.
    var alarm: String? {
        contents.withLock { contents in
            guard contents.count > 0 else { return nil }
            let isFull = contents.count >= limit
            let end = isFull ? ". They are as many as may wait aside, so the pipeline stands still" : ""
            let mended =
                contents.isUnclear
                ? "the database takes them. It takes others, so look for what is special about these (hearth-cloud "
                    + "dead-letters show); see the README on what the database does not take"
                : "the field has the right type; see the README on field type conflicts"
            let text =
                "\(contents.count) points wait: \(contents.reason ?? Self.reasonClass). They are kept as dead letters and "
                + "written by themselves once \(mended)"
            return text + end + (contents.obstacle.map { ". They cannot be read back: \($0)" } ?? "")
        }
    }

    /// How many readings wait for their zone.
    var readings: Int { zones.withLock { $0.count } }

    /// What they wait for; nil while none waits.
    var zonesAlarm: String? { zones.withLock { $0.alarm } }

    /// Whether a reading may wait for its zone beside those that are about to; else it is a dead letter like others.
    func hasRoom(for letter: DeadLetter, beside more: UnknownZones) -> Bool {
        zones.withLock { $0.hasRoom(for: letter, beside: more) }
    }

    /// Takes note of readings that the log has as dead letters now.
    func hold(_ letters: [DeadLetter]) { zones.withLock { zones in for letter in letters { zones.note(letter) } } }

    /// Takes note of lines that the log has as dead letters now.
    func hold(_ rejected: [RejectedPoint]) {
        guard !rejected.isEmpty else { return }
        contents.withLock { contents in
            contents.count += rejected.count
            for point in rejected {
                contents.note(point.line, reason: point.reason, Self.reasonClass(of: point.refusal))
            }
        }
    }

    // MARK: The loop

    /// What the next count depends on; boot nanoseconds.
    private struct Plan {
        var countedAt: Int64?
        /// What the last one took.
        var cost: Int64 = 0
        var retryAt: Int64 = 0
        /// Where the dead letters ended when they were counted.
        var ends: [Int32: Int64]?
    }

    private func run() {
        var plan = Plan()
        var words = OncePerMinute()
        while pause(plan.countedAt == nil ? 0 : Self.lookNanoseconds) {
            do {
                try recount(&plan)
                if Clock.bootNanoseconds >= plan.retryAt {
                    plan.retryAt = Clock.bootNanoseconds + Self.retryNanoseconds
                    if try isAnyTaken() {
                        try writeAll()
                        try reload()
                    }
                }
                if zones.withLock({ $0.isAnyKnown }) {
                    try sendReadings()
                    try reload()
                }
                contents.withLock { $0.obstacle = nil }
            } catch {
                let text = "\(error)"
                contents.withLock { $0.obstacle = text }
                if !isStopping.load(ordering: .relaxed), words.isNews(pipeline, text, now: Clock.bootNanoseconds) {
                    logger.warning(
                        "what waits among the dead letters cannot be read back; trying again",
                        metadata: ["pipeline": "\(pipeline)", "error": "\(text)"])
                }
                if plan.countedAt == nil, !pause(1_000_000_000) { return }
            }
        }
    }

    /// Takes the count again if it is time, or somebody has appended to the dead letters.
    private func recount(_ plan: inout Plan) throws {
        let began = Clock.bootNanoseconds
        let age = plan.countedAt.map { began - $0 } ?? .max
        // Where none waits nobody looks at the count, and others' dead letters may come all the time.
        let isWaiting = count + readings > 0
        let isRested = age >= (isWaiting ? plan.cost * Self.changeShare : Self.recountWaitingNanoseconds)
        let ends = isRested ? log.ends(of: topics.deadLetter) : nil
        let isOther = ends != nil && ends != plan.ends
        let interval = isWaiting ? Self.recountWaitingNanoseconds : Self.recountNanoseconds
        let isOld = age >= max(plan.cost * Self.recountShare, interval)
        guard mustRecount.exchange(false, ordering: .relaxed) || isOther || isOld else { return }
        try reload()
        let end = Clock.bootNanoseconds
        (plan.countedAt, plan.cost, plan.ends) = (end, end - began, ends ?? plan.ends)
    }

    /// Whether an event of the dead-letter topic is one that waits to be written, or a note about such.
    /// - Parameter number: what the partitions of those begin with.
    static func keeps(_ event: Event, from number: Int32 = 1) -> Bool {
        if let partition = DeadLetterBox.partition(ofNote: event) { return partition >= number }
        guard let letter = DeadLetter(event) else { return false }
        return letter.kind == .point && classes.contains(letter.reasonClass) || UnknownZones.waits(letter)
    }

    private func isPoint(_ letter: DeadLetter) -> Bool {
        letter.kind == .point && letter.pipeline == pipeline && !letter.isCut
            && Self.classes.contains(letter.reasonClass)
    }

    private func isReading(_ letter: DeadLetter) -> Bool {
        letter.pipeline == pipeline && UnknownZones.waits(letter)
    }

    private func reload() throws {
        var (found, waiting) = (Contents(), UnknownZones())
        try DeadLetterBox.each(
            in: log, topic: topics.deadLetter, where: { isPoint($0.letter) || isReading($0.letter) }
        ) { item in
            if isPoint(item.letter) {
                found.count += 1
                found.note(item.letter.bytes, reason: item.letter.reason, item.letter.reasonClass)
            } else {
                waiting.note(item.letter)
            }
        }
        contents.withLock { [found] in $0 = found }
        zones.withLock { [waiting] in $0 = waiting }
    }

    /// Readings whose zone is known by now take their way again, through all pipelines. Events first: after a crash in
    /// between they are there twice, which makes the same points.
    private func sendReadings() throws {
        var time = EventTime()
        try DeadLetterBox.parts(
            of: Self.readingsLimit, in: log, topic: topics.deadLetter,
            where: { item in
                isReading(item.letter) && UnknownZones.zone(of: item.letter).map { !time.isUnknown(zone: $0) } ?? false
            }
        ) { part in
            try log.append(part.map { Event(topic: topics.raw, key: $0.letter.key, value: $0.letter.bytes) })
            try log.append(DeadLetterBox.notes(of: part, action: "sent again", topic: topics.deadLetter))
            logger.notice(
                "readings that had waited for their zone take their way",
                metadata: ["pipeline": "\(pipeline)", "readings": "\(part.count)"])
        }
    }

    private func isAnyTaken() throws -> Bool {
        let probes = contents.withLock { Array($0.probes.values) }
        guard !probes.isEmpty else { return false }
        var batch = PointBatch()
        for (index, line) in probes.enumerated() { batch.add(line: line, index: index) }
        let result = try writer.wait(writer.submit(batch, lingers: false))
        return result.rejected.count(where: { !$0.refusal.isFinal }) < probes.count
    }

    private func writeAll() throws {
        try DeadLetterBox.parts(
            of: Self.batchLimit, in: log, topic: topics.deadLetter, where: { isPoint($0.letter) }
        ) { items in
            try write(items)
        }
    }

    private func write(_ items: [DeadLetterBox.Item]) throws {
        var batch = PointBatch()
        for index in items.indices { batch.add(line: items[index].letter.bytes, index: index) }
        let result = try writer.wait(writer.submit(batch, lingers: false))
        let waiting = Set(result.rejected.lazy.filter { !$0.refusal.isFinal }.map(\.index))
        let refused = result.rejected.filter(\.refusal.isFinal)
        // What is refused for good by now is a dead letter of another reason.
        let letters = refused.map { point in
            var letter = items[point.index].letter
            letter.reason = "\(pipeline): \(point.refusal.rawValue): \(point.reason)"
            return letter.event(topic: topics.deadLetter)
        }
        let done = items.indices.filter { !waiting.contains($0) }.map { items[$0] }
        try log.append(letters + DeadLetterBox.notes(of: done, action: "written", topic: topics.deadLetter))
        let final = Set(refused.map(\.index))
        book?.settle(
            items.indices.filter { !waiting.contains($0) && !final.contains($0) }
                .compactMap { RecordName(items[$0].letter) }, .points)
        book?.settle(final.compactMap { RecordName(items[$0].letter) }, .deadLetters)
        logger.notice(
            "points that had waited for the database are written",
            metadata: ["pipeline": "\(pipeline)", "points": "\(done.count - refused.count)"])
    }

    /// - Returns: false when it is time to go.
    private func pause(_ nanoseconds: Int64) -> Bool {
        let until = Clock.bootNanoseconds + nanoseconds
        while !isStopping.load(ordering: .relaxed), !mustRecount.load(ordering: .relaxed),
            Clock.bootNanoseconds < until
        { Clock.sleep(50_000_000) }
        return !isStopping.load(ordering: .relaxed)
    }
}

extension HeldPoints.Contents {
    fileprivate mutating func note(_ line: [UInt8], reason: String, _ reasonClass: String) {
        let isUnclear = reasonClass == HeldPoints.unclearClass
        self.isUnclear = self.isUnclear || isUnclear
        self.reason = self.reason ?? reason
        let key = Array(isUnclear ? LineProtocol.seriesKey(of: line[...]) : LineProtocol.measurement(of: line[...]))
        if probes[key] == nil, probes.count < HeldPoints.probeLimit { probes[key] = line }
    }
}
