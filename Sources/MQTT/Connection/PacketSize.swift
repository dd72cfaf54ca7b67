/// How long a packet is on the wire, which the broker may have limited (MQTT 5.0 section 3.2.2.3.6). Pure.
enum PacketSize {
    /// Bytes of a variable byte integer (section 1.5.5).
    static func variable(_ value: Int) -> Int {
        switch value {
        case ..<128: 1
        case ..<16_384: 2
        case ..<2_097_152: 3
        default: 4
        }
    }

    /// A PUBLISH of MQTT 5, its fixed header included (section 3.3).
    ///
    /// - Parameter properties: their bytes, without the length before them.
    static func publish(topic: Int, payload: Int, properties: Int, qos: UInt8) -> Int {
        whole(2 + topic + (qos > 0 ? 2 : 0) + variable(properties) + properties + payload)
    }

    /// A SUBSCRIBE of MQTT 5 (section 3.8): each filter with its length before it and its options behind it.
    static func subscribe(filters: [Int], properties: Int) -> Int {
        whole(2 + variable(properties) + properties + filters.reduce(0) { $0 + 2 + $1 + 1 })
    }

    /// An UNSUBSCRIBE of MQTT 5 without properties (section 3.10).
    static func unsubscribe(filters: [Int]) -> Int { whole(2 + 1 + filters.reduce(0) { $0 + 2 + $1 }) }

    /// With the fixed header (section 2.1) before what it counts.
    private static func whole(_ remaining: Int) -> Int { 1 + variable(remaining) + remaining }
}
