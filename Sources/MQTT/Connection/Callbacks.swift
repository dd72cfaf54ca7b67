import CMosquitto
import Glibc

// The C side calls these file-scope functions on the connection's thread, from within Client.read() or write().
// They only store what came; handlers run after the library has returned, so that they may drop the connection.

func installCallbacks(on pointer: OpaquePointer) {
    mosquitto_connect_v5_callback_set(pointer, onConnect)
    mosquitto_disconnect_v5_callback_set(pointer, onDisconnect)
    mosquitto_message_v5_callback_set(pointer, onMessage)
    mosquitto_publish_v5_callback_set(pointer, onPublish)
    mosquitto_subscribe_v5_callback_set(pointer, onSubscribe)
    mosquitto_unsubscribe_v5_callback_set(pointer, onUnsubscribe)
    mosquitto_log_callback_set(pointer, onLog)
}

private func client(_ context: UnsafeMutableRawPointer?) -> Client? {
    context.map { Unmanaged<Client>.fromOpaque($0).takeUnretainedValue() }
}

private func onConnect(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ code: Int32, _ flags: Int32, _ properties: OpaquePointer?
) {
    guard let client = client(context) else { return }
    guard client.acceptance == nil else {
        client.isAcceptedTwice = true
        return
    }
    let received = ReceivedProperties(properties)
    let code = UInt8(truncatingIfNeeded: code)
    // A 3.1.1 broker that refuses a v5 CONNECT is reported with the v5 code already (handle_connack.c).
    let isTranslated = client.version == .v5 || code >= 0x80
    client.acceptance = Client.Acceptance(
        reason: isTranslated ? ReasonCode(rawValue: code) : ReasonCode(connectReturnCode: code),
        reasonText: received?.string(MQTT_PROP_REASON_STRING),
        sessionPresent: flags & 1 != 0,
        receiveMaximum: received?.int16(MQTT_PROP_RECEIVE_MAXIMUM),
        maximumPacketSize: received?.int32(MQTT_PROP_MAXIMUM_PACKET_SIZE),
        sessionExpiry: received?.int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL),
        maximumQoS: received?.byte(MQTT_PROP_MAXIMUM_QOS),
        retainAvailable: received?.byte(MQTT_PROP_RETAIN_AVAILABLE),
        takesIdentifiers: received?.byte(MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE))
    client.eventCount += 1
    errno = EAGAIN
}

private func onDisconnect(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ code: Int32, _: OpaquePointer?
) {
    // Also called with the library's own error codes, which are all below 0x80.
    guard let client = client(context), code >= 0x80 else { return }
    client.disconnectReason = ReasonCode(rawValue: UInt8(truncatingIfNeeded: code))
}

private func onMessage(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ received: UnsafePointer<mosquitto_message>?,
    _ properties: OpaquePointer?
) {
    guard let client = client(context), let message = received?.pointee, let topic = message.topic else { return }
    guard let userProperties = ReceivedProperties(properties).map({ $0.userProperties() }) ?? [] else {
        client.hasLostProperties = true
        return
    }
    let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
    client.messages.append(
        Message(
            topic: String(cString: topic), payload: [UInt8](payload), qos: UInt8(truncatingIfNeeded: message.qos),
            isRetained: message.retain, packetID: UInt16(truncatingIfNeeded: message.mid),
            userProperties: userProperties,
            subscriptions: ReceivedProperties(properties)?.subscriptionIdentifiers() ?? []))
    // User properties too, and what each takes however short it is: a packet may be made of nothing else.
    client.messageBytes += payload.count + client.messages[client.messages.count - 1].topic.utf8.count
    client.messageBytes += userProperties.reduce(0) {
        $0 + $1.name.utf8.count + $1.value.utf8.count + MemoryLayout<UserProperty>.stride
    }
    client.eventCount += 1
    if message.qos > 0 { client.queued += 1 }
    // With TLS, or while publications are in flight, one mosquitto_loop_read goes on over many packets; it returns
    // when it finds this in errno (loop.c), which keeps the batch within its limits.
    if client.isBatchFull { errno = EAGAIN }
}

private func onPublish(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ packetID: Int32, _ reason: Int32, _: OpaquePointer?
) {
    guard let client = client(context) else { return }
    if client.isWriting {
        client.unwritten -= 1
    } else {
        client.unconfirmed -= 1
        client.hasConfirmed = true
    }
    client.confirmations.append((packetID, ReasonCode(rawValue: UInt8(truncatingIfNeeded: reason))))
    client.eventCount += 1
}

private func onSubscribe(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ packetID: Int32, _ count: Int32,
    _ granted: UnsafePointer<Int32>?, _: OpaquePointer?
) {
    guard let client = client(context) else { return }
    let reasons = UnsafeBufferPointer(start: granted, count: granted == nil ? 0 : Int(count))
    client.grants.append((packetID, reasons.map { ReasonCode(rawValue: UInt8(truncatingIfNeeded: $0)) }))
    client.eventCount += 1
}

private func onUnsubscribe(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ packetID: Int32, _: OpaquePointer?
) {
    guard let client = client(context) else { return }
    client.releases.append(packetID)
    client.eventCount += 1
}

private func onLog(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ level: Int32, _ text: UnsafePointer<CChar>?
) {
    // MOSQ_LOG_WARNING and MOSQ_LOG_ERR; bounded, as the peer decides how many there are.
    guard let client = client(context), let text, level & 0x0C != 0, client.log.count < 16 else { return }
    client.log.append(String(cString: text))
}

/// Refuses to ask for the passphrase of an encrypted key: OpenSSL would ask on the terminal.
func noKeyPassphrase(_: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?) -> Int32 {
    0
}
