import CMosquitto
import Glibc

/// A list of MQTT v5 properties to be sent; owned here, copied by the library.
struct PropertyList: ~Copyable {
    private(set) var head: OpaquePointer?
    /// As they are on the wire, without the length before them (MQTT 5.0 section 2.2.2).
    private(set) var byteCount = 0

    init() {}

    deinit {
        var head = head
        mosquitto_property_free_all(&head)
    }

    /// The properties a publication carries, with the topic's errors left to the library.
    init(_ publication: Publication) throws(LinkError) {
        for property in publication.userProperties { try add(property) }
        if let seconds = publication.messageExpiry { try add(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, int32: seconds) }
    }

    mutating func add(_ identifier: mqtt5_property, int32 value: UInt32) throws(LinkError) {
        try check(mosquitto_property_add_int32(&head, Int32(identifier.rawValue), value))
        byteCount += 5
    }

    mutating func add(_ identifier: mqtt5_property, variable value: UInt32) throws(LinkError) {
        try check(mosquitto_property_add_varint(&head, Int32(identifier.rawValue), value))
        byteCount += 1 + PacketSize.variable(Int(value))
    }

    mutating func add(_ property: UserProperty) throws(LinkError) {
        // A C string ends at NUL: without this check the rest would be cut off silently.
        guard !property.name.utf8.contains(0), !property.value.utf8.contains(0) else {
            throw LinkError(.invalid, "a user property contains NUL")
        }
        let name = Int32(MQTT_PROP_USER_PROPERTY.rawValue)
        try check(mosquitto_property_add_string_pair(&head, name, property.name, property.value))
        byteCount += 5 + property.name.utf8.count + property.value.utf8.count
    }

    /// Gives the list away, to a call that takes ownership.
    mutating func release() -> OpaquePointer? {
        let released = head
        head = nil
        return released
    }

    private func check(_ code: Int32) throws(LinkError) {
        switch mosq_err_t(rawValue: code) {
        case MOSQ_ERR_SUCCESS: return
        case MOSQ_ERR_NOMEM: throw LinkError(.outOfMemory, "out of memory")
        default: throw LinkError(.invalid, "a user property contains a control character or is too long")
        }
    }
}

/// Reading the properties of a received packet; the list stays the library's.
struct ReceivedProperties {
    let head: OpaquePointer

    init?(_ head: OpaquePointer?) {
        guard let head else { return nil }
        self.head = head
    }

    func byte(_ identifier: mqtt5_property) -> UInt8? {
        var value: UInt8 = 0
        return mosquitto_property_read_byte(head, Int32(identifier.rawValue), &value, false) == nil ? nil : value
    }

    func int16(_ identifier: mqtt5_property) -> UInt16? {
        var value: UInt16 = 0
        return mosquitto_property_read_int16(head, Int32(identifier.rawValue), &value, false) == nil ? nil : value
    }

    func int32(_ identifier: mqtt5_property) -> UInt32? {
        var value: UInt32 = 0
        return mosquitto_property_read_int32(head, Int32(identifier.rawValue), &value, false) == nil ? nil : value
    }

    func string(_ identifier: mqtt5_property) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard mosquitto_property_read_string(head, Int32(identifier.rawValue), &value, false) != nil else { return nil }
        defer { free(value) }
        return value.map { String(cString: $0) }
    }

    /// One for each subscription that a copy is for.
    func subscriptionIdentifiers() -> [UInt32] {
        var found: [UInt32] = []
        var position: OpaquePointer? = head
        let wanted = Int32(MQTT_PROP_SUBSCRIPTION_IDENTIFIER.rawValue)
        while let property = position {
            position = mosquitto_property_next(property)
            guard mosquitto_property_identifier(property) == wanted else { continue }
            var value: UInt32 = 0
            if mosquitto_property_read_varint(property, wanted, &value, false) != nil { found.append(value) }
        }
        return found
    }

    /// nil when there was no memory for one of them: the library answers then as if it were not there.
    func userProperties() -> [UserProperty]? {
        var found: [UserProperty] = []
        var position: OpaquePointer? = head
        let wanted = Int32(MQTT_PROP_USER_PROPERTY.rawValue)
        while let property = position {
            position = mosquitto_property_next(property)
            guard mosquitto_property_identifier(property) == wanted else { continue }
            var name: UnsafeMutablePointer<CChar>?
            var value: UnsafeMutablePointer<CChar>?
            let read = mosquitto_property_read_string_pair(property, wanted, &name, &value, false)
            defer {
                free(name)
                free(value)
            }
            guard read != nil, let name, let value else { return nil }
            found.append(UserProperty(String(cString: name), String(cString: value)))
        }
        return found
    }
}
