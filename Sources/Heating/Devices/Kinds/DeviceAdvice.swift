extension DeviceRules {
    /// What a person does about a message that is no reading: a sentence, and the line to write where one helps.
    /// - Parameter payload: the message's, of which at most a few numbers are named.
    public func advice(for rejection: DeviceRejection, payload: some Collection<UInt8>) -> Sentence {
        guard sensors.indices.contains(rejection.rule) else { return Sentence(DeviceSentence.noRule) }
        let rule = sensors[rejection.rule]
        switch rejection.reason {
        case .retained: return write(.retained, "retained = \"use\"")
        case .unlisted:
            let name = rejection.name ?? "the sensor's name"
            return write(.unlisted, "rooms = { \(JSON.string(name).serialized()) = \"a room\" }")
        case .missingValue where rule.isContract, .notAnObject where rule.isContract, .badValue where rule.isContract:
            return table(rejection, payload)
        case .missingValue, .notAnObject, .notANumber:
            return candidates((.noNumber, .noNumberWrite, .noNumberOthers), rule, payload)
        case .badValue where payload.first == UInt8(ascii: "{"):
            return candidates((.notANumber, .notANumberWrite, .notANumberOthers), rule, payload)
        case .badValue:
            return Sentence(DeviceSentence.mendOrWrite, ["place": place(rule), "line": .text("value = \"…\"")])
        case .nullValue, .notFinite, .unavailable, .empty: return Sentence(DeviceSentence.hasNoReading)
        case .notJSON:
            return rule.isContract ? write(.notJSONContract, "kind = \"plain\"") : write(.notJSON, "value = \"\"")
        case .unknownUnit:
            return Sentence(
                DeviceSentence.noUnit, ["celsius": .text("unit = \"C\""), "fahrenheit": .text("unit = \"F\"")])
        case .impossible: return Sentence(DeviceSentence.tooCold)
        case .badRoom: return write(.badRoom, "room = \"…\"")
        case .noName: return write(.noName, "room = \"…\"")
        case .missingTimestamp, .badTimestamp: return table(rejection, payload)
        case .duplicateKey: return Sentence(DeviceSentence.twice)
        case .invalidUTF8: return Sentence(DeviceSentence.notUTF8)
        case .oversized: return Sentence(DeviceSentence.tooLong, ["count": .count(Reading.payloadLimit)])
        // Of a pump's command, which no sensor's rule reads.
        case .missingStatus, .badStatus, .badDuration: return Sentence(DeviceSentence.noRule)
        }
    }

    /// What a person does about a device that nobody has listed, and whose temperature its rule does not read.
    public func adviceForUnlisted(_ rejection: DeviceRejection, payload: some Collection<UInt8>) -> Sentence {
        guard sensors.indices.contains(rejection.rule), let path = JSONPath.roomTemperature(in: payload),
            let name = rejection.name
        else { return advice(for: rejection, payload: payload) }
        func quoted(_ text: String) -> String { JSON.string(text).serialized() }
        let unit = JSONPath.unit(of: path, in: payload).map { ", unit = \(quoted($0))" } ?? ""
        let line =
            "kind = \(quoted(sensors[rejection.rule].kind)), topic = \(quoted(rejection.topic)), value = \(quoted(path))\(unit), "
            + "room = \(quoted(rejection.room?.name ?? name))"
        return Sentence(
            DeviceSentence.ownTable, ["line": .text(line), "other": .text("rooms = { \(quoted(name)) = \"\" }")])
    }

    private func write(_ sentence: DeviceSentence, _ line: String) -> Sentence {
        Sentence(sentence, ["line": .text(line)])
    }

    /// For who speaks on the black box's topic in another form.
    private func table(_ rejection: DeviceRejection, _ payload: some Collection<UInt8>) -> Sentence {
        guard let path = JSONPath.numbers(in: payload).first else {
            return Sentence(DeviceSentence.noNumber, ["place": .sentence(Sentence(DeviceSentence.payload))])
        }
        let topic = JSON.string(rejection.topic).serialized()
        let room = JSON.string(rejection.name ?? "its room").serialized()
        let unit = JSONPath.unit(of: path, in: payload).map { ", unit = \(JSON.string($0).serialized())" } ?? ""
        return write(.otherForm, "topic = \(topic), value = \(JSON.string(path).serialized())\(unit), room = \(room)")
    }

    private func place(_ rule: SensorRule) -> Sentence.Value {
        .sentence(
            rule.value.isWhole
                ? Sentence(DeviceSentence.payload)
                : Sentence(DeviceSentence.inPayload, ["path": .text("\"\(escapingControls(rule.value.text))\"")]))
    }

    /// - Parameter sentences: for a payload without a number, with one, and with several.
    private func candidates(
        _ sentences: (none: DeviceSentence, one: DeviceSentence, several: DeviceSentence), _ rule: SensorRule,
        _ payload: some Collection<UInt8>
    ) -> Sentence {
        let place = place(rule)
        let numbers = JSONPath.numbers(in: payload)
        let paths = numbers.map { JSON.string($0).serialized() }
        guard let first = paths.first else { return Sentence(sentences.none, ["place": place]) }
        let unit =
            rule.isTemperature && rule.unit == .fixed(.celsius) ? JSONPath.unit(of: numbers[0], in: payload) : nil
        let unitLine = unit.map { ", unit = \(JSON.string($0).serialized())" } ?? ""
        let line = Sentence.Value.text("value = \(first)\(unitLine)")
        guard paths.count > 1 else { return Sentence(sentences.one, ["place": place, "line": line]) }
        return Sentence(
            sentences.several, ["place": place, "line": line, "others": .text(paths.joined(separator: ", "))])
    }
}
