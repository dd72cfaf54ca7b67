import Heating
import MQTT

/// Brokers send a message once for each subscription of a client that it fits (Mosquitto does, MQTT v5 3.3.4 allows it). Where
/// two of this lane's filters overlap, one copy counts: the one of the first filter that was granted.
struct OverlappingFilters {
    /// Those that overlap with another one, in their order; none in most houses, and then nothing is looked at.
    private let filters: [String]
    private var granted: Set<ExactString> = []

    init(_ filters: [String]) {
        self.filters = filters.enumerated().filter { index, filter in
            filters.enumerated().contains { $0 != index && TopicPattern.overlap($1, filter) }
        }.map(\.element)
    }

    /// The same for a filter in every run, so that what was queued for an earlier process can be told. Within 28 bits
    /// (3.8.2.1.2), never 0.
    static func identifier(of filter: String) -> UInt32 {
        // FNV-1a; `Hasher` differs from run to run.
        var hash: UInt32 = 0x811c_9dc5
        for byte in filter.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return max(1, (hash ^ hash >> 28) & 0x0FFF_FFFF)
    }

    mutating func connected() { granted = [] }

    mutating func granted(_ filter: String) { granted.insert(ExactString(filter)) }

    /// Whether this copy of a message is the one that counts.
    func counts(_ message: Message) -> Bool {
        guard !filters.isEmpty else { return true }
        let fitting = filters.filter { TopicPattern.covers($0, message.topic) }
        guard fitting.count > 1 else { return true }
        // Without identifiers a copy cannot be told from the same reading again, and better twice than lost. Mosquitto sends
        // one copy to a client of 3.1.1 (allow_duplicate_messages).
        guard !message.subscriptions.isEmpty else { return true }
        let first = fitting.first { granted.contains(ExactString($0)) } ?? fitting[0]
        // What came for a filter that is not in the file any more has no other copy, as far as anybody knows.
        let isOurs = fitting.contains { message.subscriptions.contains(Self.identifier(of: $0)) }
        return !isOurs || message.subscriptions.contains(Self.identifier(of: first))
    }
}
