/// One MQTT packet as it was seen on the wire.
public struct Packet: Sendable, Equatable {
    public enum Kind: UInt8, Sendable {
        case connect = 1, connack, publish, puback, pubrec, pubrel, pubcomp, subscribe, suback, unsubscribe, unsuback
        case pingreq, pingresp, disconnect, auth
    }

    /// Type and flags.
    public let header: UInt8
    /// Everything behind the remaining length.
    public let body: [UInt8]
    /// When its last byte was read.
    public let time: ContinuousClock.Instant

    public var kind: Kind? { Kind(rawValue: header >> 4) }

    /// The whole packet as bytes.
    public var bytes: [UInt8] { [header] + variableLength(body.count) + body }

    /// Of PUBLISH with QoS > 0, PUBACK, SUBSCRIBE, SUBACK and the like.
    public var packetID: UInt16? {
        guard let kind else { return nil }
        switch kind {
        case .publish: return qos == 0 ? nil : number(at: 2 + topicLength)
        case .puback, .pubrec, .pubrel, .pubcomp, .subscribe, .suback, .unsubscribe, .unsuback: return number(at: 0)
        default: return nil
        }
    }

    /// Of a v5 PUBACK: 0 if it is left out.
    public var reason: UInt8 { body.count > 2 ? body[2] : 0 }

    // MARK: PUBLISH

    public var qos: UInt8 { (header >> 1) & 3 }
    public var isDuplicate: Bool { header & 8 != 0 }
    public var isRetained: Bool { header & 1 != 0 }

    public var topic: String {
        String(decoding: body.dropFirst(2).prefix(topicLength), as: UTF8.self)
    }

    /// The application's bytes.
    public func payload(isVersion5: Bool) -> [UInt8] {
        var offset = 2 + topicLength + (qos > 0 ? 2 : 0)
        if isVersion5, let (length, size) = decodeVariableLength(body.dropFirst(offset)) { offset += length + size }
        return Array(body.dropFirst(offset))
    }

    // MARK: CONNECT

    /// 4 for MQTT 3.1.1, 5 for v5.
    public var protocolLevel: UInt8 { body.count > 6 ? body[6] : 0 }

    private var topicLength: Int { Int(number(at: 0) ?? 0) }

    private func number(at offset: Int) -> UInt16? {
        body.count >= offset + 2 ? UInt16(body[offset]) << 8 | UInt16(body[offset + 1]) : nil
    }
}

/// Cuts a stream of bytes into packets.
struct PacketParser {
    private var buffer: [UInt8] = []
    private var start = 0

    mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next whole packet; `nil` until more bytes come.
    mutating func next() -> Packet? {
        let available = buffer[start...]
        guard let header = available.first, let (length, size) = decodeVariableLength(available.dropFirst()),
            available.count >= 1 + size + length
        else {
            if start > 0 {
                buffer.removeFirst(start)
                start = 0
            }
            return nil
        }
        let body = available.dropFirst(1 + size).prefix(length)
        start += 1 + size + length
        return Packet(header: header, body: Array(body), time: .now)
    }
}

/// MQTT's variable byte integer (v5 1.5.5).
func variableLength(_ value: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    repeat {
        bytes.append(UInt8(rest % 128) | (rest >= 128 ? 0x80 : 0))
        rest /= 128
    } while rest > 0
    return bytes
}

private func decodeVariableLength(_ bytes: ArraySlice<UInt8>) -> (value: Int, size: Int)? {
    var value = 0
    for (index, byte) in bytes.prefix(4).enumerated() {
        value |= Int(byte & 0x7F) << (7 * index)
        if byte & 0x80 == 0 { return (value, index + 1) }
    }
    return nil
}

// MARK: Packets a scripted broker sends

extension Packet {
    /// A PUBLISH as bytes. `properties` are v5 properties without their length; `nil` writes MQTT 3.1.1.
    public static func publish(
        _ topic: String, _ payload: [UInt8], id: UInt16 = 0, qos: UInt8 = 1, isDuplicate: Bool = false,
        isRetained: Bool = false, properties: [UInt8]? = []
    ) -> [UInt8] {
        var body = [UInt8(topic.utf8.count >> 8), UInt8(topic.utf8.count & 0xFF)] + Array(topic.utf8)
        if qos > 0 { body += [UInt8(id >> 8), UInt8(id & 0xFF)] }
        if let properties { body += variableLength(properties.count) + properties }
        body += payload
        return [0x30 | qos << 1 | (isDuplicate ? 8 : 0) | (isRetained ? 1 : 0)] + variableLength(body.count) + body
    }

    /// A v5 CONNACK as bytes.
    public static func connack(
        sessionPresent: Bool = false, reason: UInt8 = 0, properties: [UInt8] = []
    ) -> [UInt8] {
        let body = [sessionPresent ? 1 : 0, reason] + variableLength(properties.count) + properties
        return [0x20] + variableLength(body.count) + body
    }

    /// A v5 SUBACK for a SUBSCRIBE as bytes.
    public static func suback(_ id: UInt16, reasons: [UInt8]) -> [UInt8] {
        let body = [UInt8(id >> 8), UInt8(id & 0xFF), 0] + reasons
        return [0x90] + variableLength(body.count) + body
    }
}
