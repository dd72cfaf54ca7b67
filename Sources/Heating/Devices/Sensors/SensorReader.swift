extension SensorRule {
    /// A message as this rule understands it. Never throws, whatever the bytes are.
    func read(
        _ match: TopicPattern.Match, topic: String, payload: Span<UInt8>, isRetained: Bool, arrival: Timestamp,
        naiveOffsetSeconds: Int, rule: Int
    ) -> DeviceOutcome {
        var rejection = DeviceRejection(
            reason: .empty, rule: rule, topic: topic, name: match.room, room: room, isContract: isContract)
        do throws(PayloadError) {
            if isRetained && retained == .ignore { throw .retained }
            let document = try Document(payload, isContract: isContract)
            if rejection.name == nil, let roomAt { rejection.name = try document.name(at: roomAt, payload) }
            rejection.room = try room(named: rejection.name)
            guard let room = rejection.room else { throw .noName }
            let measured: DeviceReading
            if isContract {
                measured = try contract(payload, room: room, topic: topic, naiveOffsetSeconds, rule)
            } else {
                measured = try document.reading(
                    self, payload, room: room, topic: topic, arrival: arrival, naiveOffsetSeconds, rule)
            }
            var reading = measured
            reading.isRetained = isRetained
            reading.isFault = isFault(reading)
            reading.name = rejection.name
            return .reading(reading)
        } catch {
            rejection.reason = error
            return rejection.isPassedOver ? .passedOver(rejection) : .rejected(rejection)
        }
    }

    private func room(named name: String?) throws(PayloadError) -> Room? {
        guard let name else { return room }
        if let listed = names[ExactString(name)] {
            guard let listed else { throw .unlisted }
            return listed
        }
        if let room { return room }
        guard unlisted == .room else { throw .unlisted }
        // A name of several levels that nobody has listed is one room all the same.
        let joined = String(
            decoding: name.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
        guard let room = Room(joined) else { throw .badRoom }
        return room
    }

    private func contract(
        _ payload: Span<UInt8>, room: Room, topic: String, _ naiveOffsetSeconds: Int, _ rule: Int
    ) throws(PayloadError) -> DeviceReading {
        let reading = try Reading(payload: payload, naiveOffsetSeconds: naiveOffsetSeconds)
        return DeviceReading(
            room: room, measure: measure, reading: reading, unit: isTemperature ? .celsius : nil, isRetained: false,
            isFault: false, topic: topic, rule: rule, contractPayload: payload.array(payload.indices))
    }

    private func isFault(_ reading: DeviceReading) -> Bool {
        // Half of the last digit that sensors write, for a fault of 85 °C may come as 185 °F.
        discard.contains { abs($0 - reading.value) < 0.005 || abs($0 - (reading.celsius ?? reading.value)) < 0.005 }
    }
}

/// The part of a payload that is worth reading: without the byte order mark, white space and NULs that programs leave
/// around it.
private struct Document {
    let range: Range<Int>

    init(_ payload: Span<UInt8>, isContract: Bool) throws(PayloadError) {
        guard payload.count <= Reading.payloadLimit else { throw .oversized }
        if isContract {
            range = payload.indices
            return
        }
        var (start, end) = (0, payload.count)
        if payload.count >= 3, payload[0] == 0xEF, payload[1] == 0xBB, payload[2] == 0xBF { start = 3 }
        func isAround(_ byte: UInt8) -> Bool { byte == 0 || byte == 0x20 || (0x09...0x0D).contains(byte) }
        while start < end, isAround(payload[start]) { start += 1 }
        while end > start, isAround(payload[end - 1]) { end -= 1 }
        guard start < end else { throw .empty }
        range = start..<end
    }

    /// The field at a path; the whole payload as text for the empty one.
    func field(_ path: JSONPath, _ payload: Span<UInt8>) throws(PayloadError) -> JSONPath.Field? {
        let bytes = payload.extracting(range)
        guard !path.isWhole else { return try whole(bytes) }
        do throws(JSONPath.Failure) {
            return try path.field(in: bytes)
        } catch {
            switch error {
            case .invalidUTF8: throw .invalidUTF8
            case .duplicateKey: throw .duplicateKey
            case .notJSON: throw .notJSON
            }
        }
    }

    private func whole(_ bytes: Span<UInt8>) throws(PayloadError) -> JSONPath.Field {
        guard (try? UTF8Span(validating: bytes)) != nil else { throw .invalidUTF8 }
        let first = bytes[0]
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return .structure }
        let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
        guard isQuoted, bytes.count >= 2, bytes[bytes.count - 1] == first else {
            return .text(bytes.text(bytes.indices))
        }
        return .text(bytes.text(1..<bytes.count - 1))
    }

    func name(at path: JSONPath, _ payload: Span<UInt8>) throws(PayloadError) -> String {
        switch try field(path, payload) {
        case .text(let text)? where !text.isEmpty: return text
        case .number(let text)?: return text
        default: throw .noName
        }
    }

    func reading(
        _ rule: SensorRule, _ payload: Span<UInt8>, room: Room, topic: String, arrival: Timestamp,
        _ naiveOffsetSeconds: Int, _ index: Int
    ) throws(PayloadError) -> DeviceReading {
        let number = try number(rule, payload)
        let unit = try unit(rule, payload, beside: number)
        let time = time(rule, payload, arrival: arrival, naiveOffsetSeconds)
        let measured = Reading(time: time, valueText: number.text, value: number.value)
        let reading = DeviceReading(
            room: room, measure: rule.measure, reading: measured, unit: unit, isRetained: false, isFault: false,
            topic: topic, rule: index, contractPayload: nil)
        if let celsius = reading.celsius, celsius < -273.15 - 0.005 { throw .impossible }
        return reading
    }

    private func number(
        _ rule: SensorRule, _ payload: Span<UInt8>
    ) throws(PayloadError) -> DecimalReading {
        let text: String
        switch try field(rule.value, payload) {
        case nil: throw .missingValue
        case .null?: throw .nullValue
        case .nonFinite?: throw .notFinite
        case .bool(let value)?:
            // A measure may be a switch's; a temperature is no yes or no.
            guard !rule.isTemperature else { throw .badValue }
            text = value ? "1" : "0"
        case .structure?: throw .notANumber
        case .number(let read)?, .text(let read)?: text = read
        }
        let number: DecimalReading
        do throws(DecimalReading.Failure) {
            number = try DecimalReading(text)
        } catch {
            switch error {
            case .unavailable: throw .unavailable
            case .notFinite: throw .notFinite
            case .notANumber: throw .badValue
            }
        }
        guard !number.isPercent || !rule.isTemperature else { throw .badValue }
        return number
    }

    /// The number's own unit before the payload's, before the rule's. A unit that is announced and not told is no °C:
    /// 70 taken for °C would keep a house cold.
    private func unit(
        _ rule: SensorRule, _ payload: Span<UInt8>, beside number: DecimalReading
    ) throws(PayloadError) -> DeviceUnit? {
        guard rule.isTemperature else { return nil }
        if let unit = number.unit { return unit }
        switch rule.unit {
        case .fixed(let unit): return unit
        case .at(let path):
            guard case .text(let text)? = try field(path, payload), let unit = DeviceUnit(spelled: text) else {
                throw .unknownUnit
            }
            return unit
        }
    }

    private func time(
        _ rule: SensorRule, _ payload: Span<UInt8>, arrival: Timestamp, _ naiveOffsetSeconds: Int
    ) -> DeviceTime {
        guard let path = rule.time else { return DeviceTime(arrival: arrival, .arrival) }
        switch try? field(path, payload) {
        case .text(let text)?:
            return DeviceTime(text, arrival: arrival, naiveOffsetSeconds: naiveOffsetSeconds)
        case .number(let text)?: return DeviceTime(epoch: text, arrival: arrival)
        case nil, .null?: return DeviceTime(arrival: arrival, .missing)
        case .bool?, .nonFinite?, .structure?: return DeviceTime(arrival: arrival, .absurd)
        }
    }
}
