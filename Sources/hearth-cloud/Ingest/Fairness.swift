import Heating
import MQTT

/// The order in which a batch is taken: in rounds, each home's next message in each round, so that what one home sends
/// at once stands behind what the others have sent. The order of each home's own messages stays.
enum FairOrder {
    /// Indices into `topics`.
    static func order(_ topics: some Collection<String>) -> [Int] {
        var rounds: [[Int]] = []
        var taken: [ExactString: Int] = [:]
        for (index, topic) in topics.enumerated() {
            let home = ExactString(String(topic.utf8.prefix { $0 != UInt8(ascii: "/") }) ?? topic)
            let round = taken[home, default: 0]
            taken[home] = round + 1
            if round == rounds.count { rounds.append([]) }
            rounds[round].append(index)
        }
        return rounds.flatMap(\.self)
    }
}

/// How much of its time a loop has been at work lately. A value.
struct Load {
    /// Beyond this share of the time what comes waits for what came before.
    private static let busy = 0.7
    private static let memory = 2.0

    /// Seconds of work and of time, older ones counting less.
    private var work = 0.0
    private var time = 0.0
    private var last: Instant?

    mutating func worked(from start: Instant, to end: Instant) {
        fade(to: end)
        work += Self.seconds(end - start)
    }

    mutating func isBusy(now: Instant) -> Bool {
        fade(to: now)
        return time > 0 && work / time > Self.busy
    }

    private mutating func fade(to now: Instant) {
        defer { last = max(last ?? now, now) }
        guard let last, now > last else { return }
        let passed = Self.seconds(now - last)
        let rest = max(0, 1 - passed / Self.memory)
        work *= rest
        time = time * rest + passed
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }
}
