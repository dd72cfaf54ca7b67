import CMosquitto
import Glibc

// Publishing and subscribing. Both only queue; `write()` sends.
extension Client {
    func publish(_ publication: Publication) throws(LinkError) -> Int32 {
        guard !publication.topic.utf8.contains(0) else { throw LinkError(.invalid, "the topic contains NUL") }
        let properties = version == .v5 ? try PropertyList(publication) : PropertyList()
        let size = PacketSize.publish(
            topic: publication.topic.utf8.count, payload: publication.payload.count, properties: properties.byteCount,
            qos: publication.qos)
        guard takes(size) else { throw tooLarge(publication.topic) }
        var packetID: Int32 = 0
        let code = publication.payload.withUnsafeBytes { payload in
            mosquitto_publish_v5(
                pointer, &packetID, publication.topic, Int32(clamping: payload.count), payload.baseAddress,
                Int32(publication.qos), publication.retain, properties.head)
        }
        try check(code, topic: publication.topic)
        if publication.qos == 0 { unwritten += 1 } else { unconfirmed += 1 }
        queued += 1
        return packetID
    }

    func subscribe(_ filters: [String], qos: UInt8, options: SubscriptionOptions) throws(LinkError) -> Int32 {
        let copies = filters.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        guard !filters.contains(where: { $0.utf8.contains(0) }), copies.allSatisfy({ $0 != nil }) else {
            throw LinkError(.invalid, "a topic filter contains NUL")
        }
        var packetID: Int32 = 0
        var properties = PropertyList()
        if version == .v5, acceptance?.takesIdentifiers != 0, let identifier = options.identifier {
            try properties.add(MQTT_PROP_SUBSCRIPTION_IDENTIFIER, variable: identifier)
        }
        let size = PacketSize.subscribe(filters: filters.map(\.utf8.count), properties: properties.byteCount)
        guard takes(size) else { throw tooLarge(filters) }
        let code = copies.withUnsafeBufferPointer { filters in
            mosquitto_subscribe_multiple(
                pointer, &packetID, Int32(clamping: filters.count), filters.baseAddress, Int32(min(qos, 1)),
                version == .v5 ? options.bits : 0, properties.head)
        }
        try check(code, topic: filters.joined(separator: ", "))
        queued += 1
        return packetID
    }

    func unsubscribe(_ filters: [String]) throws(LinkError) -> Int32 {
        let copies = filters.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        guard !filters.contains(where: { $0.utf8.contains(0) }), copies.allSatisfy({ $0 != nil }) else {
            throw LinkError(.invalid, "a topic filter contains NUL")
        }
        guard takes(PacketSize.unsubscribe(filters: filters.map(\.utf8.count))) else { throw tooLarge(filters) }
        var packetID: Int32 = 0
        let code = copies.withUnsafeBufferPointer { filters in
            mosquitto_unsubscribe_multiple(
                pointer, &packetID, Int32(clamping: filters.count), filters.baseAddress, nil)
        }
        try check(code, topic: filters.joined(separator: ", "))
        queued += 1
        return packetID
    }

    /// Whether the broker takes a packet of this many bytes. The library's own checks leave out some of them, so that a packet too long
    /// goes out; of a PUBLISH it logs that without an instance, which ends the process (2.0.11: actions_publish.c,
    /// actions_subscribe.c, packet_mosq.c, send_publish.c).
    private func takes(_ size: Int) -> Bool {
        guard version == .v5, let limit = acceptance?.maximumPacketSize else { return true }
        return size <= limit
    }

    private func tooLarge(_ topic: String) -> LinkError {
        LinkError(.tooLarge, "the message for '\(topic)' is larger than \(peer) accepts")
    }

    private func tooLarge(_ filters: [String]) -> LinkError {
        LinkError(.tooLarge, "the request for '\(filters.joined(separator: ", "))' is larger than \(peer) accepts")
    }

    private func check(_ code: Int32, topic: String) throws(LinkError) {
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_SUCCESS: return
        case MOSQ_ERR_NO_CONN: throw LinkError(.notConnected, "not connected to \(peer)")
        case MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_PAYLOAD_SIZE:
            throw tooLarge(topic)
        case MOSQ_ERR_QOS_NOT_SUPPORTED: throw LinkError(.qosNotSupported, "\(peer) does not offer this QoS")
        case MOSQ_ERR_NOMEM: throw LinkError(.outOfMemory, "out of memory")
        default: throw LinkError(.invalid, "'\(topic)' cannot be used: \(libraryText(code))")
        }
    }
}

/// libmosquitto's text for one of its codes.
func libraryText(_ code: Int32) -> String {
    String(cString: mosquitto_strerror(code))
}
