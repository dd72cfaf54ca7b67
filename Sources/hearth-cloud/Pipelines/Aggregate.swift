import EventLog
import Heating
import Influx
import Machine

/// P4: the mean temperature of each home over windows of event time, and the mean of other measures that are asked for.
///
/// What it commits is not what it has read but what no open window needs any more, and beside it how far it had read.
/// After a restart the windows are rebuilt from the log. Of those that the first read would show only in part, none was
/// open any more where the last run stopped, so up to there nothing is written; see ``HomeWindows`` on why a window
/// closes at the same reading again.
struct Aggregate: Stage {
    /// A home that has been silent for this long no longer holds the commit back: then a restart may give the window
    /// it fell silent in a partial mean.
    private static let holdBack: Duration = .seconds(24 * 3600)
    /// Late readings remembered per partition, each to be read again only with what made it late.
    private static let lateLimit = 10_000

    let names: LogTopics
    private let settings: HomeWindows.Settings
    /// Those beside the temperature.
    private let measures: Set<Measure>
    private let clock: @Sendable () -> Instant
    private var homes = HomeTable()
    private var agenda = HomeAgenda()
    private var late: [TopicPartition: [Late]] = [:]
    private var read: [TopicPartition: Int64] = [:]
    /// Before this, everything was written by an earlier run.
    private var reached: [TopicPartition: Int64] = [:]
    private var committed: [TopicPartition: Int64] = [:]
    private var reader = LoggedReading.Reader()
    private var time = EventTime()

    private struct Late {
        var extent: HomeWindows.Extent
        var since: Instant
    }

    init(
        _ names: LogTopics, window: Duration, measures: Set<Measure> = [],
        clock: @escaping @Sendable () -> Instant
    ) {
        self.init(names, settings: HomeWindows.Settings(window: window), measures: measures, clock: clock)
    }

    init(
        _ names: LogTopics, settings: HomeWindows.Settings, measures: Set<Measure> = [],
        clock: @escaping @Sendable () -> Instant
    ) {
        self.measures = measures
        self.names = names
        self.settings = settings
        self.clock = clock
    }

    var topics: [String] { [names.clean] }
    var needsReached: Bool { true }

    mutating func assigned(_ positions: [TopicPartition: Int64]) {
        for (position, next) in positions { reached[position] = next }
    }

    mutating func process(_ events: [Event]) -> StageOutput {
        var output = StageOutput()
        let now = clock()
        for index in events.indices {
            guard let value = events[index].value else { continue }
            guard let reading = reader.read(value), let number = reading.value, let at = time.timestamp(reading.time)
            else {
                output.dropped["unusable", default: 0] += 1
                continue
            }
            guard reading.measure == .temperature || measures.contains(reading.measure) else { continue }
            let sample = Sample(
                reading: reading, place: reader.known?.place, at: at, value: number, offset: events[index].offset)
            add(sample, events[index].position, now, &output)
        }
        output.commitAll(events)
        for (position, next) in output.commit { read[position] = max(read[position] ?? 0, next) }
        write(now, &output)
        commit(now, &output)
        return output
    }

    /// Windows that have settled while nothing arrived.
    mutating func idle() -> StageOutput {
        var output = StageOutput()
        write(clock(), &output)
        if !output.points.isEmpty { commit(clock(), &output) }
        return output
    }

    mutating func revoked(_ positions: [TopicPartition]) {
        homes.remove(Set(positions))
        agenda.rebuild(for: &homes)
        for position in positions {
            late[position] = nil
            read[position] = nil
            reached[position] = nil
            committed[position] = nil
        }
    }

    private struct Sample {
        var reading: LoggedReading
        var place: KnownPlace?
        var at: Timestamp
        var value: Double
        var offset: Int64
    }

    private mutating func add(
        _ sample: Sample, _ position: TopicPartition, _ now: Instant, _ output: inout StageOutput
    ) {
        let name = sample.reading.home
        let measure = sample.reading.measure
        let index = homes.index(of: name, sample.place, measure: measure) {
            HomeTable.Home(
                name: name, measure: measure, windows: HomeWindows(settings: settings, now: now), position: position)
        }
        let verdict = homes[index].windows.add(
            room: sample.reading.room, at: sample.at, value: sample.value, offset: sample.offset,
            sequence: sample.reading.sequence, epoch: sample.reading.epoch, now: now)
        agenda.touch(index, in: &homes)
        let closed = homes[index].windows.takeClosed()
        if !closed.isEmpty, sample.offset >= reached[position] ?? 0 {
            for mean in closed { output.points.add(Self.point(name, measure, mean), index: StageOutput.noSource) }
        }
        switch verdict {
        case .counted: break
        case .duplicate: output.dropped["duplicate", default: 0] += 1
        case .tooMany: output.dropped["too_many", default: 0] += 1
        case .late:
            output.dropped["late", default: 0] += 1
            if let lateness = homes[index].windows.lateness { remember(lateness, position, now) }
        }
    }

    private mutating func remember(_ extent: HomeWindows.Extent, _ position: TopicPartition, _ now: Instant) {
        var known = late[position] ?? []
        if known.last?.extent.first == extent.first, let last = known.indices.last {
            known[last].extent.last = extent.last
        } else {
            known.append(Late(extent: extent, since: now))
        }
        if known.count > Self.lateLimit { known.removeFirst(known.count / 2) }
        late[position] = known
    }

    private mutating func write(_ now: Instant, _ output: inout StageOutput) {
        var settled: [Int] = []
        for position in agenda.positions where !isCatchingUp(position) {
            settled += agenda.takeSettled(position, now: now, in: &homes)
        }
        for index in settled.sorted() {
            let (name, measure) = (homes[index].name, homes[index].measure)
            for mean in homes[index].windows.takeSettled(now: now) {
                output.points.add(Self.point(name, measure, mean), index: StageOutput.noSource)
            }
            agenda.touch(index, in: &homes)
        }
    }

    private func isCatchingUp(_ position: TopicPartition) -> Bool {
        read[position] ?? 0 < reached[position] ?? 0
    }

    /// Per partition, the first event that an open window needs, but never between a late reading and what made it
    /// late, or a restart would take it for the first of a new window.
    private mutating func commit(_ now: Instant, _ output: inout StageOutput) {
        var commits = read
        for position in agenda.positions {
            let first = agenda.firstNeeded(position, changedWithin: Self.holdBack, now: now, in: &homes)
            if let first { commits[position] = min(commits[position] ?? first, first) }
        }
        for (position, known) in late {
            guard var commit = commits[position] else { continue }
            let recent = known.filter { now - $0.since < Self.holdBack }
            var isSettled = false
            while !isSettled {
                isSettled = true
                for late in recent where late.extent.first < commit && late.extent.last >= commit {
                    commit = late.extent.first
                    isSettled = false
                }
            }
            commits[position] = commit
            late[position] = recent.filter { $0.extent.last >= commit }
        }
        for (position, next) in commits {
            committed[position] = max(committed[position] ?? 0, next)
            output.reached[position] = max(read[position] ?? 0, reached[position] ?? 0)
        }
        output.commit = committed
    }

    private static func point(_ home: HomeID, _ measure: Measure, _ mean: HomeWindows.Mean) -> Point {
        let suffix = measure == .temperature ? "_temp" : ""
        return Point(
            measurement: "home_avg_\(measure)", tags: [("home", home.name)],
            fields: [
                ("avg\(suffix)", .float(mean.average)), ("min\(suffix)", .float(mean.minimum)),
                ("max\(suffix)", .float(mean.maximum)), ("rooms", .integer(Int64(mean.rooms))),
            ], time: mean.time.nanoseconds)
    }
}
