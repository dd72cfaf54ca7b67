/// Which reading is the n-th that one connection sends: topics in turn, numbered within each topic.
///
/// Nothing is stored per reading; topic and payload follow from the index, so that an unacknowledged reading can be
/// made again after a reconnect.
struct LoadPlan: Sendable {
    enum Payload: String, CaseIterable, Sendable {
        /// The value carries the number: reading 42 is `20.000000042`, which keeps every thermostat calm.
        case numbered
        /// Values as the real sensor's: any temperature between 10 and 30 °C, one in five exactly `100`.
        case sensor
    }

    struct Reading: Equatable, Sendable {
        var topic: String
        var payload: [UInt8]
    }

    /// The number must fit the nine digits behind the point.
    static let numbers = 0..<1_000_000_000

    let topics: [String]
    let payload: Payload
    /// The number of every topic's first reading.
    let first: Int
    /// The sensor time of a reading with number 0, microseconds since 1970.
    let start: Int64
    /// Microseconds of sensor time between two readings of a topic.
    let step: Int64
    let seed: UInt64
    private var calendar = ISOFormat()

    init(topics: [String], payload: Payload, first: Int, start: Int64, step: Int64, seed: UInt64) {
        self.topics = topics
        self.payload = payload
        self.first = first
        self.start = start
        self.step = step
        self.seed = seed
    }

    /// Home broker topics, or cloud broker topics when there are homes.
    static func topics(prefix: String, homes: Int, rooms: Int) -> [String] {
        let levels = homes == 0 ? [""] : (1...homes).map { "home\($0)/" }
        return levels.flatMap { home in (1...rooms).map { "\(prefix)\(home)room\($0)/temperature" } }
    }

    /// The plans of several connections: each topic belongs to one of them, so its readings keep their order.
    func split(into connections: Int) -> [LoadPlan] {
        (0..<connections).map { connection in
            LoadPlan(
                topics: stride(from: connection, to: topics.count, by: connections).map { topics[$0] },
                payload: payload, first: first, start: start, step: step, seed: seed)
        }
    }

    func number(at index: Int) -> Int {
        first + index / topics.count
    }

    mutating func reading(at index: Int) -> Reading {
        let number = number(at: index)
        var bytes = Self.opening
        bytes.reserveCapacity(80)
        bytes.append(contentsOf: calendar.bytes(microseconds: start + Int64(number) * step))
        bytes.append(contentsOf: Self.middle)
        switch payload {
        case .numbered:
            bytes.append(contentsOf: Self.calm)
            bytes.append(digits: number, width: 9)
        case .sensor:
            bytes.append(contentsOf: sensorValue(index: index).utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return Reading(topic: topics[index % topics.count], payload: bytes)
    }

    private func sensorValue(index: Int) -> String {
        var random = SeededRandom(seed: seed &+ UInt64(index))
        if UInt64.random(in: 0..<5, using: &random) == 0 { return "100" }
        return PythonText.repr(Double.random(in: 10..<30, using: &random))
    }

    private static let opening = Array("{\"timestamp\": \"".utf8)
    private static let middle = Array("\", \"value\": ".utf8)
    private static let calm = Array("20.".utf8)
}

/// What part of all readings one of several connections sends: topic t belongs to connection t mod connections, and
/// the first `count` readings go round all topics in turn.
struct LoadShare: Equatable, Sendable {
    let position: Int
    let connections: Int
    let topics: Int

    init(position: Int, of connections: Int, topics: Int) {
        self.position = position
        self.connections = connections
        self.topics = topics
    }

    func readings(of count: Int) -> Int {
        let (rounds, rest) = count.quotientAndRemainder(dividingBy: topics)
        return rounds * owned(before: topics) + owned(before: rest)
    }

    /// How many of the topics 0..<bound are this connection's.
    private func owned(before bound: Int) -> Int {
        bound <= position ? 0 : (bound - position - 1) / connections + 1
    }
}
