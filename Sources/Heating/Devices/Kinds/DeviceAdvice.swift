extension DeviceRules {
    /// What a person does about a message that is no reading: a sentence, and the line to write where one helps.
    /// - Parameter payload: the message's, of which at most a few numbers are named.
    public func advice(for rejection: DeviceRejection, payload: some Collection<UInt8>) -> String {
        guard sensors.indices.contains(rejection.rule) else { return "no rule is about this topic" }
        let rule = sensors[rejection.rule]
        switch rejection.reason {
        case .retained: return "kept by the broker from earlier: write retained = \"use\" for a sensor that sleeps"
        case .unlisted:
            let name = rejection.name ?? "the sensor's name"
            return "not listed: write rooms = { \(JSON.string(name).serialized()) = \"a room\" }"
        case .missingValue where rule.isContract, .notAnObject where rule.isContract:
            return table(rejection, payload)
        case .missingValue, .notAnObject, .notANumber: return "\(place(rule)) is no number\(candidates(payload))"
        case .badValue where payload.first == UInt8(ascii: "{"):
            return "\(place(rule)) is not a number\(candidates(payload))"
        case .badValue: return "\(place(rule)) is not a number: mend the device, or write another value = \"…\""
        case .nullValue, .notFinite, .unavailable, .empty:
            return "the device has no reading: look at its sensor, cable and battery"
        case .notJSON:
            return rule.isContract
                ? "not JSON: write a [[sensors]] table for this device, kind = \"plain\" for a number alone"
                : "not JSON: write value = \"\" if the whole payload is the number"
        case .unknownUnit: return "its unit is not told: write unit = \"C\" or unit = \"F\""
        case .impossible: return "colder than can be: add the value to discard if it means a fault, or write its unit"
        case .badRoom: return "the name cannot be a room: list it in rooms, or write room = \"…\""
        case .noName: return "nothing names the sensor: write room = \"…\", or room_at with the path of its name"
        case .missingTimestamp, .badTimestamp: return table(rejection, payload)
        case .duplicateKey: return "a member appears twice: mend the device"
        case .invalidUTF8: return "not UTF-8: mend the device"
        case .oversized: return "longer than \(Reading.payloadLimit) bytes: no sensor's"
        }
    }

    /// For who speaks on the black box's topic in another form.
    private func table(_ rejection: DeviceRejection, _ payload: some Collection<UInt8>) -> String {
        let path = JSONPath.numbers(in: payload).first ?? ""
        let topic = JSON.string(rejection.topic).serialized()
        let room = JSON.string(rejection.name ?? "its room").serialized()
        return "not the black box's form: write a [[sensors]] table with topic = \(topic), "
            + "value = \(JSON.string(path).serialized()), room = \(room)"
    }

    private func place(_ rule: SensorRule) -> String {
        rule.value.isWhole ? "the payload" : "\"\(escapingControls(rule.value.text))\" in the payload"
    }

    private func candidates(_ payload: some Collection<UInt8>) -> String {
        let paths = JSONPath.numbers(in: payload)
        guard let first = paths.first else { return "" }
        let all = paths.map { JSON.string($0).serialized() }.joined(separator: ", ")
        let quoted = JSON.string(first).serialized()
        return paths.count == 1 ? ": write value = \(quoted)" : ": write value = \(quoted), or another of \(all)"
    }
}

extension JSONPath {
    /// Where in a JSON document numbers are, those that look like a temperature's first; at most six.
    public static func numbers(in payload: some Collection<UInt8>) -> [String] {
        guard let json = try? JSON.parse(payload, limit: Reading.payloadLimit) else { return [] }
        var found: [String] = []
        collect(json, [], &found)
        let likely = found.filter { path in ["temp", "tC"].contains { path.contains($0) } || path.contains("Temp") }
        return Array((likely + found.filter { !likely.contains($0) }).prefix(6))
    }

    private static func collect(_ json: JSON, _ path: [String], _ found: inout [String]) {
        // No document of a sensor has more.
        guard found.count < 64 else { return }
        switch json {
        case .object(let object): for member in object.members { collect(member.value, path + [member.key], &found) }
        case .array(let elements):
            for (index, element) in elements.enumerated() { collect(element, path + ["\(index)"], &found) }
        case .number: found.append(written(path))
        case .string(let text): if (try? DecimalReading(text)) != nil { found.append(written(path)) }
        case .null, .bool: break
        }
    }

    static func written(_ names: [String]) -> String {
        names.map { name in
            name == "*" ? "\\*" : name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
        }.joined(separator: ".")
    }
}
