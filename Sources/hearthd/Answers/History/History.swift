import Heating

/// What happened lately, small enough to keep in memory: per room the mean, lowest and highest temperature and the heat
/// pump's share of each step, the temperature outdoors, and when a link was down. Pure; times are wall clock in nanoseconds since 1970.
struct History: Sendable {
    /// How far back, and how fine.
    enum Span: String, CaseIterable, Sendable {
        case hour, day

        var step: Int64 { self == .hour ? 10_000_000_000 : 300_000_000_000 }
        var count: Int { self == .hour ? 360 : 288 }
    }

    /// A time without a connection; `end` is nil while it lasts.
    struct Outage: Equatable, Sendable {
        var link: String
        var start: Int64
        var end: Int64?
    }

    /// Rooms beyond this many are not drawn; a page with more would not be read either.
    static let roomLimit = 200
    static let outageLimit = 200
    /// A blink, as at every start, is nothing to show.
    static let shortestOutage: Int64 = 2_000_000_000
    static let length: Int64 = 86_400_000_000_000

    private var curves: [CurveSource: [Span: Series]] = [:]
    private(set) var outages: [Outage] = []

    /// - Parameters:
    ///   - value: in °C.
    ///   - measure: the temperature, or one of ``Measure/outdoors``.
    mutating func temperature(
        _ value: Double, of measure: Measure = .temperature, in room: Room, at time: Int64
    ) {
        change(CurveSource(room: room, measure: measure)) { $0.add(value, at: time) }
    }

    /// A command to the room's heat pump, repeated ones included.
    mutating func pump(_ isOn: Bool, in room: Room, at time: Int64) {
        change(CurveSource(room: room)) { $0.switched(isOn, at: time) }
    }

    private mutating func change(_ source: CurveSource, _ body: (inout Series) -> Void) {
        guard curves[source] != nil || source.fits(beside: curves.keys) else { return }
        for span in Span.allCases { body(&curves[source, default: [:]][span, default: Series(span)]) }
    }

    /// The link's state as it is now; outages are what lies between.
    mutating func link(_ name: String, isUp: Bool, at time: Int64) {
        let open = outages.lastIndex { $0.link == name && $0.end == nil }
        if let open, isUp {
            outages[open].end = max(time, outages[open].start)
            if time - outages[open].start < Self.shortestOutage { outages.remove(at: open) }
        } else if open == nil, !isUp {
            outages.append(Outage(link: name, start: time, end: nil))
        }
        outages.removeAll { $0.end.map { time - $0 > Self.length } ?? false }
        if outages.count > Self.outageLimit { outages.removeFirst() }
    }

    /// The steps up to and with the one of `now`.
    func json(_ span: Span, now: Int64, isComplete: Bool) -> JSON {
        let last = now / span.step
        let first = last - Int64(span.count) + 1
        var outdoors: [CurveSource: JSON] = [:]
        var rooms: [JSON] = []
        for (source, series) in curves.sorted(by: { $0.key < $1.key }) {
            guard var series = series[span] else { continue }
            series.advance(to: now)
            guard let values = series.values(first...last) else { continue }
            let since = series.since.map(seconds) ?? .null
            if source.isOutdoors {
                outdoors[source] = values.json(source, since: since)
            } else {
                rooms.append(values.json(source, since: since))
            }
        }
        return [
            "start": seconds(first * span.step), "step": seconds(span.step), "count": JSON(span.count),
            "isComplete": .bool(isComplete), "rooms": .array(rooms),
            "outdoor": CurveSource.outdoors(of: outdoors.keys).flatMap { outdoors[$0] } ?? .null,
            "outages": .array(
                outages.filter { ($0.end ?? now) >= first * span.step }.map {
                    ["link": .string($0.link), "start": seconds($0.start), "end": $0.end.map(seconds) ?? .null]
                }),
        ]
    }

    private func seconds(_ nanoseconds: Int64) -> JSON { JSON(Double(nanoseconds / 1_000_000) / 1000) }
}

/// One room at one resolution: a ring of steps.
private struct Series: Sendable {
    private struct Step: Sendable {
        var sum = 0.0
        var count = 0
        /// The lowest and the highest reading: of a mean nobody can tell how cold it was. Float is finer than any sensor.
        var low = Float.infinity
        var high = -Float.infinity
        /// Nanoseconds for which the pump's state was known, and of those for which it was on.
        var known: Int64 = 0
        var on: Int64 = 0
    }

    private let span: History.Span
    private var steps: [Step]
    /// The newest step's number since 1970; 0 before the first.
    private var newest: Int64 = 0
    /// The first reading since there has been any without a gap of the whole span.
    private(set) var since: Int64?
    private var isOn: Bool?
    /// Up to when the pump's state has been added up.
    private var accounted: Int64 = 0

    init(_ span: History.Span) {
        self.span = span
        steps = Array(repeating: Step(), count: span.count)
    }

    mutating func add(_ value: Double, at time: Int64) {
        guard let index = index(of: time / span.step) else { return }
        steps[index].sum += value
        steps[index].count += 1
        steps[index].low = min(steps[index].low, Float(value))
        steps[index].high = max(steps[index].high, Float(value))
        since = min(since ?? time, time)
    }

    mutating func switched(_ isOn: Bool, at time: Int64) {
        advance(to: time)
        self.isOn = isOn
        accounted = time
    }

    /// Adds up how the pump was until `time`.
    mutating func advance(to time: Int64) {
        guard let isOn else { return }
        var from = max(accounted, time - span.step * Int64(span.count))
        while from < time {
            let end = min(time, (from / span.step + 1) * span.step)
            if let index = index(of: from / span.step) {
                steps[index].known += end - from
                if isOn { steps[index].on += end - from }
            }
            from = end
        }
        accounted = max(accounted, time)
    }

    /// Where a step lives, after making room for it. nil for one that has left the ring.
    private mutating func index(of step: Int64) -> Int? {
        let count = Int64(span.count)
        guard step > 0 else { return nil }
        if step > newest || step <= newest - 2 * count {
            // Far back means that the clock was set: what is "newest" never happened.
            // A box without a clock of its own wakes up in 1970, a few steps after the first.
            let first = max(step > newest ? newest + 1 : 1, step - count + 1)
            for stale in first...step { steps[Int(stale % count)] = Step() }
            if step >= newest + count || step <= newest { since = nil }
            newest = step
        }
        return step > newest - count ? Int(step % count) : nil
    }

    struct Values {
        var means: [JSON] = []
        var lows: [JSON] = []
        var highs: [JSON] = []
        var shares: [JSON] = []

        func json(_ source: CurveSource, since: JSON) -> JSON {
            .object(
                .init([
                    ("room", .string(source.room.name)), ("since", since), ("temperature", .array(means)),
                    ("low", .array(lows)), ("high", .array(highs)),
                    source.isOutdoors ? ("measure", .string(source.measure.name)) : ("pump", .array(shares)),
                ]))
        }
    }

    /// One entry for each step, null where nothing is known. nil when there is nothing in the range.
    func values(_ range: ClosedRange<Int64>) -> Values? {
        let count = Int64(span.count)
        let found = range.map { number -> Step in
            number <= newest && number > newest - count && number > 0 ? steps[Int(number % count)] : Step()
        }
        guard found.contains(where: { $0.count > 0 || $0.known > 0 }) else { return nil }
        return Values(
            means: found.map { $0.count == 0 ? .null : rounded($0.sum / Double($0.count)) },
            lows: found.map { $0.count == 0 ? .null : rounded(Double($0.low)) },
            highs: found.map { $0.count == 0 ? .null : rounded(Double($0.high)) },
            shares: found.map { $0.known == 0 ? .null : rounded(Double($0.on) / Double($0.known)) })
    }

    /// Two decimals are what a curve can show.
    private func rounded(_ value: Double) -> JSON { JSON((value * 100).rounded() / 100) }
}
