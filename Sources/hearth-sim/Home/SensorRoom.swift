import Heating

/// A clock that starts at the real time and then runs `speed` times as fast, as the black-box sensor's does. It is
/// therefore ahead of the real clock, and jumps back when its process is restarted.
struct SensorClock: Sendable, Equatable {
    /// Microseconds since 1970 (UTC) when the sensor started.
    let start: Int64
    let speed: Double

    /// The sensor's time after `elapsed` real nanoseconds, in microseconds since 1970.
    func microseconds(afterNanoseconds elapsed: Int64) -> Int64 {
        start + Int64(Double(elapsed) / 1_000 * speed)
    }
}

/// One black-box sensor with its heat pump and the room around them. A value: it is told the time and what arrived,
/// and returns the payload to publish.
struct SensorRoom: Sendable {
    let name: String
    let dataTopic: String
    let statusTopic: String

    private(set) var isHeated = false
    private(set) var thermal: ThermalRoom
    private let outdoors = Outdoors()
    private let clock: SensorClock
    private let outlierShare: Double
    private var random: SeededRandom
    private var lastMoment: Int64

    /// - Parameter outlierShare: the probability of a reading of exactly 100; the real sensor's is one in five.
    init(
        name: String, dataTopic: String, statusTopic: String, clock: SensorClock, seed: UInt64,
        outlierShare: Double = 0.2
    ) {
        self.name = name
        self.dataTopic = dataTopic
        self.statusTopic = statusTopic
        self.clock = clock
        self.outlierShare = outlierShare
        random = SeededRandom(seed: seed, room: name)
        thermal = ThermalRoom(using: &random)
        lastMoment = clock.start
    }

    /// The next reading, `elapsed` real nanoseconds after the sensor started.
    mutating func reading(afterNanoseconds elapsed: Int64) -> [UInt8] {
        let moment = advance(toNanoseconds: elapsed)
        if Double.random(in: 0..<1, using: &random) < outlierShare {
            return PythonText.payload(microseconds: moment, value: "100")
        }
        let noise = Double.random(in: -0.05...0.05, using: &random)
        return PythonText.payload(microseconds: moment, value: PythonText.repr(thermal.temperature + noise))
    }

    /// What the pump does with a message on its topic: `int(status)`. Unreadable messages change nothing.
    /// - Returns: whether the message was understood.
    mutating func command(_ payload: [UInt8], afterNanoseconds elapsed: Int64) -> Bool {
        guard let status = Self.status(of: payload) else { return false }
        _ = advance(toNanoseconds: elapsed)
        isHeated = status != 0
        return true
    }

    private mutating func advance(toNanoseconds elapsed: Int64) -> Int64 {
        let moment = clock.microseconds(afterNanoseconds: elapsed)
        thermal.advance(
            seconds: Double(moment - lastMoment) / 1e6,
            outdoor: outdoors.temperature(atMicroseconds: moment),
            isHeated: isHeated)
        lastMoment = max(lastMoment, moment)
        return moment
    }

    /// Python's `int(json.loads(payload)["status"])`, which takes "1" and 1 alike.
    private static func status(of payload: [UInt8]) -> Int64? {
        guard let json = try? JSON.parse(payload), let status = json["status"] else { return nil }
        if let text = status.string { return Int64(text.trimmingSpaces) }
        return status.int
    }
}

extension String {
    fileprivate var trimmingSpaces: Substring {
        let isContent: (Character) -> Bool = { !$0.isWhitespace }
        guard let first = firstIndex(where: isContent), let last = lastIndex(where: isContent) else { return "" }
        return self[first...last]
    }
}
