import Heating
import MQTT

/// What Record asks the home broker for: the readings, and beside them the commands, which are worth less.
///
/// Each filter in a packet of its own, so that a broker that refuses one does not take the other away; where the connection
/// was closed at the second, that one is asked for alone, and later. A filter that was refused is asked for again every half
/// minute: the ACL may have been mended.
struct RecordSubscriptions {
    static let readings = "+/temperature"
    static let commands = "+/heatpump"
    private static let retry = Duration.seconds(30)

    private struct Filter {
        var name: String
        var packetID: Int32?
        var isGranted = false
        var askAt: Instant?
        /// Connections in a row that ended while it was unanswered.
        var closes = 0
    }

    private var filters: [Filter]
    /// All are granted: nothing is due on this connection, and nobody has to look at each of them every turn.
    private var isComplete = false

    /// - Parameter readings: the sensors' filters, the black box's unless others are told.
    init(readings: [String] = [RecordSubscriptions.readings]) {
        filters = readings.map { Filter(name: $0) } + [Filter(name: Self.commands)]
    }

    var names: [String] { filters.map(\.name) }
    /// Whether nothing is on its way and nothing is still to be asked for the first time.
    var areAnswered: Bool { filters.allSatisfy { $0.packetID == nil && ($0.isGranted || $0.askAt != nil) } }

    /// Whether the broker has taken one for readings.
    var hasReadings: Bool { filters.contains { $0.isGranted && $0.name != Self.commands } }

    mutating func connected() {
        for index in filters.indices { (filters[index].packetID, filters[index].isGranted) = (nil, false) }
        isComplete = false
    }

    /// What to ask for now.
    func due(now: Instant) -> [String] {
        guard !isComplete else { return [] }
        let isQuiet = filters.allSatisfy { $0.packetID == nil }
        return filters.filter { filter in
            guard !filter.isGranted, filter.packetID == nil, (filter.askAt ?? now) <= now else { return false }
            return filter.closes == 0 || filter.name != Self.commands || isQuiet && filters[0].isGranted
        }.map(\.name)
    }

    mutating func asked(_ name: String, _ packetID: Int32, now: Instant) {
        guard let index = filters.firstIndex(where: { $0.name == name }) else { return }
        filters[index].packetID = packetID
        filters[index].askAt = nil
    }

    /// - Returns: the filter that the answer is about, and what is wrong with it.
    mutating func answered(
        _ packetID: Int32, _ reasons: [ReasonCode], now: Instant
    ) -> (filter: String, finding: Finding?)? {
        guard let index = filters.firstIndex(where: { $0.packetID == packetID }) else { return nil }
        let refusal = reasons.first { !$0.isSuccess }
        filters[index].packetID = nil
        filters[index].isGranted = refusal == nil
        filters[index].closes = 0
        filters[index].askAt = refusal == nil ? nil : now + Self.retry
        isComplete = filters.allSatisfy(\.isGranted)
        return (filters[index].name, refusal.map { .recordingRefused(filters[index].name, why: .refused(because: $0)) })
    }

    /// The connection ended. A filter that was unanswered then twice in a row waits.
    /// - Returns: whether an unanswered filter may be why.
    mutating func ended(after: Int64, now: Instant) -> Bool {
        guard after > 0, let index = filters.lastIndex(where: { $0.packetID != nil }) else { return false }
        filters[index].closes += 1
        if filters[index].closes >= 2, filters[index].name == Self.commands {
            filters[index].askAt = now + Self.retry * 4
        }
        return true
    }
}

/// At which QoS the readings arrive. What comes at QoS 0 while this program is away is lost, and the sensor cannot be changed;
/// the home broker can (`upgrade_outgoing_qos`).
struct DeliveryQuality {
    /// Readings looked at; one at QoS 0 among them is told, and none tells that all is well again.
    private static let window = 20
    private static let few = 3

    private var maximumQoS: UInt8 = 2
    private var grantedQoS: UInt8 = 1
    private var atQoS0 = 0
    /// Readings at QoS 1 in a row.
    private var atQoS1 = 0
    private var isFlagged = false
    private var topic = ""

    mutating func connected(maximumQoS: UInt8) { self.maximumQoS = maximumQoS }

    /// - Returns: whether ``finding`` changed.
    mutating func granted(_ qos: UInt8) -> Bool {
        grantedQoS = qos
        guard qos == 0, !isFlagged else { return false }
        isFlagged = true
        return true
    }

    /// - Parameter isReading: whether readings come on a topic; a filter may bring other devices' news too.
    /// - Returns: whether ``finding`` changed.
    mutating func saw(_ batch: [Message], isReading: (String) -> Bool = { _ in true }) -> Bool {
        // Whatever else is asked for is a sensor's, on topics of any form.
        for message in batch where !message.isRetained && !message.topic.hasSuffix("/heatpump") {
            if message.qos > 0 {
                atQoS1 += 1
                if atQoS1 >= Self.window { atQoS0 = 0 }
            } else if isReading(message.topic) {
                (atQoS0, atQoS1, topic) = (atQoS0 + 1, 0, message.topic)
            }
        }
        let should = atQoS0 >= Self.few || (grantedQoS == 0 && atQoS1 == 0)
        guard should != isFlagged else { return false }
        isFlagged = should
        return true
    }

    var finding: Finding? {
        guard isFlagged else { return nil }
        return Finding(
            name: Finding.readingsAtQoS0, severity: .recording,
            text: .finding(topic.isEmpty ? .atQoS0 : .atQoS0On, ["topic": .text(topic)]),
            advice: maximumQoS == 0 || grantedQoS == 0
                ? .finding(.homeConfiguration, ["lines": .text("max_qos 2 and upgrade_outgoing_qos true")])
                : .finding(.mosquittoConfiguration, ["lines": .text("upgrade_outgoing_qos true")]))
    }
}

extension Finding {
    static let readingsAtQoS0 = "readings-at-qos0"

    fileprivate static func recordingRefused(_ filter: String, why: Sentence) -> Finding {
        let isReadings = filter == RecordSubscriptions.readings
        return Finding(
            name: "recording-refused", severity: .recording, subject: filter,
            text: .finding(
                isReadings ? .readingsNotRecorded : .commandsNotRecorded,
                ["topic": .text(filter), "why": .sentence(why)]),
            advice: .finding(.homeACL, ["line": .text("topic read \(filter)")]))
    }
}
