import EventLog
import Heating
import Influx

/// P4: the mean of each home over windows of event time.
///
/// What it commits is not what it has read but what no window needs any more: after a restart the windows are rebuilt
/// from the log, and a window written twice is the same point.
struct Aggregate: Stage {
    /// A home that has been silent for this long no longer holds the commit back: then a restart may give the window
    /// it fell silent in a partial mean.
    private static let holdBack: Duration = .seconds(24 * 3600)

    let names: LogTopics
    private let settings: HomeWindows.Settings
    private let clock: @Sendable () -> Instant
    private var homes: [HomeID: Home] = [:]
    /// Where closed windows stand: as long as a later commit could land inside one, it must land before it.
    private var closed: [TopicPartition: [HomeWindows.Extent]] = [:]
    private var read: [TopicPartition: Int64] = [:]
    private var time = EventTime()

    private struct Home {
        var mean: HomeWindows
        var position: TopicPartition
    }

    init(_ names: LogTopics, window: Duration, clock: @escaping @Sendable () -> Instant = { CloudClock.now }) {
        self.names = names
        settings = HomeWindows.Settings(window: window)
        self.clock = clock
    }

    var topics: [String] { [names.clean] }

    mutating func process(_ events: [StoredEvent]) -> StageOutput {
        var output = StageOutput()
        let now = clock()
        var touched: Set<HomeID> = []
        for stored in events {
            read[stored.position] = max(read[stored.position] ?? 0, stored.offset + 1)
            guard let value = stored.event.value else { continue }
            guard let event = RawEvent(value), let home = HomeID(event.home), let room = Room(event.room),
                let number = Double(event.valueText), number.isFinite,
                let at = time.timestamp(event.timestampText, zone: event.zone)
            else {
                output.dropped["unusable", default: 0] += 1
                continue
            }
            touched.insert(home)
            add(event, home, room, number, at, stored, now, &output)
        }
        for home in touched { close(home, &output) }
        write(now, &output)
        output.commit = commits(now)
        return output
    }

    /// Windows that have settled while nothing arrived.
    mutating func idle() -> StageOutput {
        var output = StageOutput()
        write(clock(), &output)
        if !output.writes.isEmpty { output.commit = commits(clock()) }
        return output
    }

    mutating func revoked(_ positions: [TopicPartition]) {
        let gone = Set(positions)
        homes = homes.filter { !gone.contains($0.value.position) }
        for position in positions {
            closed[position] = nil
            read[position] = nil
        }
    }

    private mutating func add(
        _ event: RawEvent, _ name: HomeID, _ room: Room, _ value: Double, _ at: Timestamp, _ stored: StoredEvent,
        _ now: Instant,
        _ output: inout StageOutput
    ) {
        var home = homes[name] ?? Home(mean: HomeWindows(settings: settings, now: now), position: stored.position)
        let verdict = home.mean.add(
            room: room, at: at, value: value, offset: stored.offset, sequence: event.sequence,
            epoch: event.epoch, now: now)
        homes[name] = home
        switch verdict {
        case .counted: break
        case .duplicate: output.dropped["duplicate", default: 0] += 1
        case .late: output.dropped["late", default: 0] += 1
        case .tooMany: output.dropped["too_many", default: 0] += 1
        }
    }

    private mutating func close(_ name: HomeID, _ output: inout StageOutput) {
        guard var home = homes[name] else { return }
        let result = home.mean.close()
        homes[name] = home
        output.writes += result.means.map { .init(point: Self.point(name, $0), source: nil) }
        closed[home.position, default: []] += result.extents
    }

    private mutating func write(_ now: Instant, _ output: inout StageOutput) {
        for name in homes.keys where homes[name]?.mean.hasUnwritten ?? false {
            let means = homes[name]?.mean.takeSettled(now: now) ?? []
            output.writes += means.map { .init(point: Self.point(name, $0), source: nil) }
        }
    }

    /// Per partition, the first event that an open window needs; no commit lands inside a closed window either,
    /// or a restart would see only its end and write that as the whole.
    private mutating func commits(_ now: Instant) -> [TopicPartition: Int64] {
        var commits = read
        for home in homes.values where now - home.mean.lastChange < Self.holdBack {
            guard let first = home.mean.firstNeeded else { continue }
            commits[home.position] = min(commits[home.position] ?? first, first)
        }
        for (position, extents) in closed {
            guard var commit = commits[position] else { continue }
            var isSettled = false
            while !isSettled {
                isSettled = true
                for extent in extents where extent.first < commit && extent.last >= commit {
                    commit = extent.first
                    isSettled = false
                }
            }
            commits[position] = commit
            closed[position] = extents.filter { $0.last >= commit }
        }
        return commits
    }

    private static func point(_ home: HomeID, _ mean: HomeWindows.Mean) -> Point {
        Point(
            measurement: "home_avg_temperature", tags: [("home", home.name)],
            fields: [
                ("avg_temp", .float(mean.average)), ("min_temp", .float(mean.minimum)),
                ("max_temp", .float(mean.maximum)), ("rooms", .integer(Int64(mean.rooms))),
            ], time: mean.time.nanoseconds)
    }
}
