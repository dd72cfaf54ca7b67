/// What was heard at a broker in a while: of each topic the newest payload. Bounded in topics and bytes, for a broker
/// may hold anything; what there was no room for is counted.
public struct HeardTopics: Equatable, Sendable {
    public struct Last: Equatable, Sendable {
        public var payload: [UInt8]
        /// The broker kept it from earlier, and nothing live has come on this topic.
        public var isRetained: Bool
    }

    /// A house of a hundred devices with Home Assistant's discovery has about two thousand.
    public static let topicLimit = 4000
    public static let byteLimit = 4 << 20
    /// The list of a large Zigbee network is some hundred kilobytes; everything else is a page at most.
    public static let listLimit = 2 << 20
    public static let payloadLimit = 32 << 10

    private var topics: [ExactString: Last] = [:]
    private var bytes = 0
    /// Messages that there was no room for.
    public private(set) var missed = 0

    public init() {}

    public var count: Int { topics.count }
    public subscript(topic: String) -> Last? { topics[ExactString(topic)] }

    /// In the topics' order, so that the same messages give the same answer.
    var sorted: [(topic: String, last: Last)] {
        topics.map { ($0.key.text, $0.value) }.sorted { ExactString($0.0) < ExactString($1.0) }
    }

    /// Of the topics that fit, the first.
    func first(fitting pattern: TopicPattern) -> String? {
        sorted.first { pattern.match($0.topic) != nil }?.topic
    }

    /// An empty payload takes a retained message away, and says nothing here.
    public mutating func hear(_ topic: String, _ payload: [UInt8], isRetained: Bool) {
        guard topic.utf8.first != UInt8(ascii: "$"), !payload.isEmpty else { return }
        let limit =
            topic.utf8.reversed().starts(with: "/bridge/devices".utf8.reversed()) ? Self.listLimit : Self.payloadLimit
        let key = ExactString(topic)
        let before = topics[key].map { $0.payload.count + topic.utf8.count } ?? 0
        let size = payload.count + topic.utf8.count
        guard payload.count <= limit, bytes - before + size <= Self.byteLimit,
            before > 0 || topics.count < Self.topicLimit
        else {
            missed += 1
            return
        }
        let wasLive = topics[key].map { !$0.isRetained } ?? false
        if isRetained, wasLive { return }
        bytes += size - before
        topics[key] = Last(payload: payload, isRetained: isRetained)
    }
}
