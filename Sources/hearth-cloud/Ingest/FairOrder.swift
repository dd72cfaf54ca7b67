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
