import Heating

/// The windows of one home beside a table of all its readings: rooms that come and go, readings twice, late, corrected,
/// and a restart that reads the log again from where the windows say.
package struct WindowsHistory {
    private struct Reading {
        var room: Room
        var time: Int64
        var value: Double
        var sequence: Int64
    }

    private let seed: UInt64
    private var random: SeededGenerator
    private let settings: HomeWindows.Settings
    private var windows: HomeWindows
    private var log: [Reading] = []
    private var now = Instant.zero
    /// As the database would keep it: a window written twice is the same point.
    private var database: [Int64: HomeWindows.Mean] = [:]
    /// All readings that counted, the last value standing.
    private var table: [Int64: [Room: [Int64: Double]]] = [:]
    /// How many readings had come when a window had its last one.
    private var touched: [Int64: Int] = [:]
    private var hasLateReadings = false
    private static let window: Int64 = 60_000_000_000
    private static let rooms = ["bath", "attic", "office"].compactMap { Room($0) }

    package init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        settings = HomeWindows.Settings(
            openReadings: Int64.random(in: 5...40, using: &random), openWindows: Int.random(in: 1...4, using: &random),
            settleAfter: .seconds(Int.random(in: 0...3, using: &random)))
        windows = HomeWindows(settings: settings, now: now)
    }

    package mutating func run() throws {
        var clock: Int64 = 1_795_428_000_000_000_000
        // Messages that were lost on the way and are sent again later, out of order.
        var held: [Reading] = []
        for number in 1...Int64.random(in: 10...90, using: &random) {
            clock += Int64.random(in: 0...40, using: &random) * 1_000_000_000
            now = now + .milliseconds(Int.random(in: 0...1500, using: &random))
            let value = Double(Int.random(in: 100...300, using: &random)) / 10
            let reading = Reading(room: random.pick(Self.rooms), time: clock, value: value, sequence: number)
            if random.chance(1, in: 6) {
                held.append(reading)
            } else {
                try take(reading)
                if random.chance(1, in: 8) { try take(reading) }
            }
            if random.chance(1, in: 4), let last = held.popLast() { try take(last) }
            if random.chance(1, in: 10), let old = log.randomElement(using: &random) { try take(old) }
            if random.chance(1, in: 3) { write() }
            if random.chance(1, in: 30) { try restart() }
        }
        for reading in held { try take(reading) }
        now = now + .seconds(3600)
        write()
        try compare()
    }

    private func start(_ reading: Reading) -> Int64 { reading.time / Self.window * Self.window }

    private mutating func take(_ reading: Reading) throws {
        log.append(reading)
        let verdict = add(reading, offset: Int64(log.count))
        let window = start(reading)
        if verdict == .late {
            hasLateReadings = true
            let since = touched.filter { $0.key >= window }.values.min().map { log.count - 1 - $0 } ?? .max
            try check(
                since >= Int(settings.openReadings), seed,
                "late after \(since) readings, \(settings.openReadings) are promised")
            return
        }
        let known = table[window]?[reading.room]?[reading.time]
        try check((verdict == .duplicate) == (known == reading.value), seed, "\(verdict), known \(known ?? .nan)")
        table[window, default: [:]][reading.room, default: [:]][reading.time] = reading.value
        touched[window] = log.count
    }

    private mutating func add(_ reading: Reading, offset: Int64) -> HomeWindows.Verdict {
        windows.add(
            room: reading.room, at: Timestamp(nanoseconds: reading.time), value: reading.value, offset: offset,
            sequence: reading.sequence, epoch: "e", now: now)
    }

    private mutating func write() {
        for mean in windows.takeClosed() + windows.takeSettled(now: now) { database[mean.time.nanoseconds] = mean }
    }

    /// From the place in the log that the windows still need; what closes on the way was written before, as the
    /// aggregation stage knows from the place that was reached. A log with late readings needs the stage's commit rules
    /// as well; its own tests have them.
    private mutating func restart() throws {
        guard !hasLateReadings else { return }
        write()
        let from = windows.firstNeeded() ?? Int64(log.count) + 1
        windows = HomeWindows(settings: settings, now: now)
        for offset in from..<Int64(log.count) + 1 {
            let verdict = add(log[Int(offset) - 1], offset: offset)
            try check(verdict != .late, seed, "late when read again")
            _ = windows.takeClosed()
        }
    }

    private func compare() throws {
        for (window, rooms) in table {
            let wanted = Self.numbers(rooms)
            let found = database[window].map { [$0.average, $0.minimum, $0.maximum, Double($0.rooms)] }
            try check(found == wanted, seed, "window \(window): \(found ?? []) instead of \(wanted)")
        }
        try check(database.count == table.count, seed, "\(database.count) windows of \(table.count)")
    }

    /// Mean of the rooms' means, lowest, highest, rooms.
    private static func numbers(_ rooms: [Room: [Int64: Double]]) -> [Double] {
        var total = 0.0
        var values: [Double] = []
        for (_, readings) in rooms.sorted(by: { $0.key < $1.key }) {
            let ordered = readings.sorted { $0.key < $1.key }.map(\.value)
            values += ordered
            total += ordered.reduce(0, +) / Double(ordered.count)
        }
        return [total / Double(rooms.count), values.min() ?? .nan, values.max() ?? .nan, Double(rooms.count)]
    }
}
