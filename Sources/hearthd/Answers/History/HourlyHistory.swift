import Heating

/// One hour of a room, or of a sensor outdoors, as it is kept for two years.
struct RoomHour: Equatable, Sendable {
    /// Hours since 1970.
    var hour: Int64
    var room: Room
    /// The temperature, or one of ``Measure/outdoors``.
    var measure = Measure.temperature
    /// Readings in it, and in °C their mean, lowest and highest; the three mean nothing when there were none.
    var readings = 0
    var mean = 0.0
    var low = 0.0
    var high = 0.0
    /// Seconds for which the pump's state was known, of those for which it was on, and how often it was started.
    var knownSeconds: Int64 = 0
    var onSeconds: Int64 = 0
    var starts = 0

    var source: CurveSource { CurveSource(room: room, measure: measure) }

    /// A line of the file: numbers, and last what they are of, as JSON, because a name may be anything: a room's name, or
    /// `["garden", "outdoor"]`, which versions that do not know it pass over.
    var line: String {
        let numbers = [
            "\(hour * 3600)", "\(readings)", "\(Self.rounded(mean))", "\(Self.rounded(low))", "\(Self.rounded(high))",
            "\(knownSeconds)", "\(onSeconds)", "\(starts)",
        ]
        let name = JSON.string(room.name)
        let place: JSON = source.isOutdoors ? [name, .string(measure.name)] : name
        return numbers.joined(separator: ",") + "," + place.serialized() + "\n"
    }

    /// - Parameter earliest: hours before this one are not looked at any further.
    /// - Returns: nil for anything that is no line, such as the rest of one that a power cut left.
    init?(line: ArraySlice<UInt8>, since earliest: Int64) {
        let fields = line.split(separator: UInt8(ascii: ","), maxSplits: 8, omittingEmptySubsequences: false)
        guard fields.count == 9, let seconds = Int64(Self.text(fields[0])), seconds / 3600 >= earliest else {
            return nil
        }
        let doubles = fields[2...4].compactMap { Double(Self.text($0)) }
        guard let readings = Int(Self.text(fields[1])), doubles.count == 3, doubles.allSatisfy(\.isFinite),
            let known = Int64(Self.text(fields[5])), let on = Int64(Self.text(fields[6])),
            let starts = Int(Self.text(fields[7])), let source = Self.source(fields[8]),
            readings >= 0, (0...3600).contains(known), (0...known).contains(on), (0...3600).contains(starts)
        else { return nil }
        self.init(
            hour: seconds / 3600, room: source.room, measure: source.measure, readings: readings, mean: doubles[0],
            low: doubles[1], high: doubles[2], knownSeconds: known, onSeconds: on, starts: starts)
    }

    private static func source(_ field: ArraySlice<UInt8>) -> CurveSource? {
        guard let json = try? JSON.parse(field) else { return nil }
        if let name = json.string { return Room(name).map { CurveSource(room: $0) } }
        guard let names = json.array?.compactMap(\.string), names.count == 2, let room = Room(names[0]),
            let measure = Measure.outdoors.first(where: { $0.name == names[1] })
        else { return nil }
        return CurveSource(room: room, measure: measure)
    }

    init(
        hour: Int64, room: Room, measure: Measure = .temperature, readings: Int = 0, mean: Double = 0, low: Double = 0,
        high: Double = 0, knownSeconds: Int64 = 0, onSeconds: Int64 = 0, starts: Int = 0
    ) {
        (self.hour, self.room, self.measure, self.readings) = (hour, room, measure, readings)
        (self.mean, self.low, self.high) = (mean, low, high)
        (self.knownSeconds, self.onSeconds, self.starts) = (knownSeconds, onSeconds, starts)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

/// Adds up readings and commands to hours. Pure; times are wall clock in nanoseconds since 1970, and come in order except
/// when the clock is set.
struct HourlyHistory: Sendable {
    static let hour: Int64 = 3_600_000_000_000
    /// A pump's state is known for so long after a command; commands are repeated each minute (`refresh`).
    private static let pumpMemory = hour
    /// After so many hours without a word there is nothing to go on with.
    private static let forgottenHours: Int64 = 24

    private struct Open: Sendable {
        var readings = 0
        var sum = 0.0
        var low = Double.infinity
        var high = -Double.infinity
        var known: Int64 = 0
        var on: Int64 = 0
        var starts = 0
        var isOn: Bool?
        var commandAt: Int64 = 0
        /// Up to when the pump's state has been added up.
        var accounted: Int64 = 0

        mutating func account(until time: Int64) {
            let end = min(time, commandAt + HourlyHistory.pumpMemory)
            if let isOn, end > accounted {
                known += end - accounted
                if isOn { on += end - accounted }
            }
            accounted = max(accounted, time)
        }

        func row(_ hour: Int64, _ source: CurveSource) -> RoomHour? {
            guard readings > 0 || known > 0 else { return nil }
            let second: Int64 = 1_000_000_000
            return RoomHour(
                hour: hour, room: source.room, measure: source.measure, readings: readings,
                mean: readings > 0 ? sum / Double(readings) : 0,
                low: readings > 0 ? low : 0, high: readings > 0 ? high : 0, knownSeconds: min(3600, known / second),
                onSeconds: min(3600, on / second), starts: min(3600, starts))
        }
    }

    private var open: [CurveSource: Open] = [:]
    /// The hour that is being added up.
    private(set) var current: Int64?

    /// As ``History/temperature(_:of:in:at:)``.
    /// - Returns: the hours that ended before `time`.
    mutating func temperature(
        _ value: Double, of measure: Measure = .temperature, in room: Room, at time: Int64
    ) -> [RoomHour] {
        let ended = advance(to: time)
        change(CurveSource(room: room, measure: measure)) { open in
            open.readings += 1
            open.sum += value
            (open.low, open.high) = (min(open.low, value), max(open.high, value))
        }
        return ended
    }

    /// A command to the room's heat pump, repeated ones included.
    mutating func pump(_ isOn: Bool, in room: Room, at time: Int64) -> [RoomHour] {
        let ended = advance(to: time)
        change(CurveSource(room: room)) { open in
            open.account(until: time)
            if isOn, open.isOn == false { open.starts += 1 }
            (open.isOn, open.commandAt, open.accounted) = (isOn, time, time)
        }
        return ended
    }

    private mutating func change(_ source: CurveSource, _ body: (inout Open) -> Void) {
        guard open[source] != nil || source.fits(beside: open.keys) else { return }
        body(&open[source, default: Open()])
    }

    /// Ends the hours before that of `time`; a clock that was set back begins anew.
    mutating func advance(to time: Int64) -> [RoomHour] {
        let now = time / Self.hour
        guard let hour = current, now > hour else {
            if let hour = current, now < hour { open = [:] }
            current = now
            return []
        }
        var ended: [RoomHour] = []
        // A pump that nobody commanded any more is known for an hour at most.
        for number in hour...min(hour + 1, now - 1) {
            for (source, var sums) in open.sorted(by: { $0.key < $1.key }) {
                sums.account(until: (number + 1) * Self.hour)
                if let row = sums.row(number, source) { ended.append(row) }
                open[source] = Open(isOn: sums.isOn, commandAt: sums.commandAt, accounted: sums.accounted)
            }
        }
        if now - hour > Self.forgottenHours { open = [:] }
        current = now
        return ended
    }

    /// The hour that has not ended yet, as far as it is known at `time`.
    func unfinished(at time: Int64) -> [RoomHour] {
        guard let current, time / Self.hour == current else { return [] }
        return open.compactMap { source, sums in
            var sums = sums
            sums.account(until: time)
            return sums.row(current, source)
        }
    }

    // MARK: As a chart

    enum Span: String, CaseIterable, Sendable {
        case week, month, year

        /// In hours.
        var step: Int64 {
            switch self {
            case .week: 1
            case .month: 6
            case .year: 24
            }
        }
        var count: Int64 {
            switch self {
            case .week: 7 * 24
            case .month: 31 * 4
            case .year: 366
            }
        }

        /// The first hour of the chart that ends with the one of `now`. Steps begin where the box's days do.
        func firstHour(now: Int64, zoneHours: Int64) -> Int64 {
            let last = (now / HourlyHistory.hour + zoneHours) / step
            return (last - count + 1) * step - zoneHours
        }
    }

    /// Such as ``History/json(_:now:isComplete:)`` gives, of hours; of an hour that comes twice the later row counts.
    /// - Parameter zoneHours: how far the box's clock is ahead of UTC.
    static func json(_ rows: [RoomHour], _ span: Span, now: Int64, zoneHours: Int64) -> JSON {
        let first = span.firstHour(now: now, zoneHours: zoneHours)
        var hours: [CurveSource: [Int64: RoomHour]] = [:]
        for row in rows where row.hour >= first && row.hour < first + span.count * span.step {
            hours[row.source, default: [:]][row.hour] = row
        }
        func curve(_ source: CurveSource) -> JSON {
            let hours = hours[source] ?? [:]
            var steps = Array(repeating: [RoomHour](), count: Int(span.count))
            for row in hours.values { steps[Int((row.hour - first) / span.step)].append(row) }
            let sums = steps.map(Step.init)
            let members: [(key: String, value: JSON)] = [
                ("room", .string(source.room.name)),
                ("since", hours.keys.min().map { JSON(Double($0 * 3600)) } ?? .null),
                ("temperature", .array(sums.map(\.mean))), ("low", .array(sums.map(\.low))),
                ("high", .array(sums.map(\.high))),
            ]
            return .object(
                .init(
                    members
                        + (source.isOutdoors
                            ? [("measure", .string(source.measure.name))]
                            : [("pump", .array(sums.map(\.share))), ("starts", .array(sums.map(\.starts)))])))
        }
        return [
            "start": JSON(Double(first * 3600)), "step": JSON(Double(span.step * 3600)), "count": JSON(span.count),
            "isComplete": true, "rooms": .array(hours.keys.filter { !$0.isOutdoors }.sorted().map(curve)),
            "outdoor": CurveSource.outdoors(of: hours.keys).map(curve) ?? .null, "outages": [],
        ]
    }

    /// Several hours in one.
    private struct Step {
        var mean = JSON.null
        var low = JSON.null
        var high = JSON.null
        var share = JSON.null
        var starts = JSON.null

        init(_ hours: [RoomHour]) {
            let read = hours.filter { $0.readings > 0 }
            if let lowest = read.map(\.low).min(), let highest = read.map(\.high).max() {
                // Every hour counts once, however often its sensor spoke.
                mean = JSON(RoomHour.rounded(read.reduce(0) { $0 + $1.mean } / Double(read.count)))
                (low, high) = (JSON(RoomHour.rounded(lowest)), JSON(RoomHour.rounded(highest)))
            }
            let known = hours.reduce(0) { $0 + $1.knownSeconds }
            guard known > 0 else { return }
            share = JSON(RoomHour.rounded(Double(hours.reduce(0) { $0 + $1.onSeconds }) / Double(known)))
            starts = JSON(hours.reduce(0) { $0 + $1.starts })
        }
    }
}
