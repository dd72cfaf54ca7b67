import Heating

/// What a person should know about the rooms and their sensors. Computed from what Control shows whenever somebody asks,
/// so that nothing here needs a timer and nothing outlives its cause.
extension ControlBoard.Contents {
    /// More starts than this in an hour wear a compressor out.
    static let startsPerHour = 6
    /// Without a usable reading for so long, what was set aside is what leaves the room cold.
    private static let minute = Duration.seconds(60)

    func findings(now: Instant) -> [Finding] {
        // Of a thousand rooms nearly all are well: only of the others anything is made.
        rooms.filter { $0.value.mayHaveFindings }.sorted { $0.key < $1.key }.flatMap { room, view in
            [blind(room, view, now), discarded(room, view, now), pump(room, view), cycles(room, view, now)]
                .compactMap(\.self) + foreign(room, view, now)
        } + setAside.sorted { $0.key < $1.key }.map { finding($0.key, $0.value, now) }
    }

    // MARK: Sensors

    private func blind(_ room: Room, _ view: ControlBoard.RoomView, _ now: Instant) -> Finding? {
        guard view.status.isStale else { return nil }
        func silent(_ sentence: FindingSentence, _ why: Sentence.Value = .text("")) -> Sentence {
            .finding(
                sentence,
                [
                    "room": .text(room.displayName), "time": .duration(view.settings.staleAfter),
                    "action": .sentence(view.settings.onStale.sentence), "why": why,
                ])
        }
        let (text, advice): (Sentence, Sentence)
        if let value = discardedValue(view, now) {
            (text, advice) = (silent(.noReadingDiscarded, value), .finding(.brokenSensor))
        } else if let messages = setAside[room] {
            text = silent(.noReadingSetAside, .text(messages.reason))
            advice = .finding(.speaksOtherwise)
        } else if let other = meant(room, view)?.displayName {
            text = silent(.noReading)
            advice = .finding(.didYouMean, ["room": .text(other), "line": .text("[rooms.\"\(other)\"]")])
        } else if repeatsItself(view, now) {
            (text, advice) = (silent(.noReadingRepeated), .finding(.checkRepeater))
        } else if view.isConfigured, view.heardAt == nil, view.status.lastReading == nil {
            text = silent(.noReading)
            advice = .finding(
                .neverHeard, ["room": .text(room.displayName), "command": .text("hearth devices")])
        } else {
            (text, advice) = (silent(.noReading), .finding(.checkSensor))
        }
        return Finding(name: "room-blind", severity: .cold, subject: room.name, room: room, text: text, advice: advice)
    }

    /// Whether its sensor was heard a moment ago, and after the last reading that was news. What was heard with that one is that one.
    private func repeatsItself(_ view: ControlBoard.RoomView, _ now: Instant) -> Bool {
        guard let heardAt = view.heardAt, now - heardAt < Self.minute else { return false }
        return view.status.lastReadingAt.map { heardAt - $0 > .seconds(1) } ?? true
    }

    /// The room of another name that speaks in this one's place.
    private func meant(_ room: Room, _ view: ControlBoard.RoomView) -> Room? {
        guard view.isConfigured else { return nil }
        return rooms.filter { !$0.value.isConfigured && !$0.value.status.isStale && $0.value.status.lastReading != nil }
            .keys.sorted().first { isNearlySame($0.name, room.name) }
    }

    private func discardedValue(_ view: ControlBoard.RoomView, _ now: Instant) -> Sentence.Value? {
        guard let value = view.status.lastDiscarded, let time = view.status.lastDiscardedAt, now - time < Self.minute,
            time >= view.status.lastReadingAt ?? .zero
        else { return nil }
        return unit.value(value)
    }

    /// Said before the room is blind: a sensor that says nothing else is of no use.
    private func discarded(_ room: Room, _ view: ControlBoard.RoomView, _ now: Instant) -> Finding? {
        guard !view.status.isStale, let value = discardedValue(view, now),
            now - (view.status.lastReadingAt ?? startedAt) >= Self.minute
        else { return nil }
        return Finding(
            name: "readings-discarded", severity: .cold, subject: room.name, room: room,
            text: .finding(.allDiscarded, ["room": .text(room.displayName), "value": value]),
            advice: .finding(.brokenSensor))
    }

    private func finding(_ room: Room, _ messages: SetAsideReadings, _ now: Instant) -> Finding {
        let topic = escaped(HomeTopic.temperature(room).string)
        let lastValid = rooms[room]?.status.lastReadingAt
        let isHeated = lastValid.map { now - $0 < Self.minute } ?? false
        let times = Sentence.finding(messages.count == 1 ? .once : .times, ["count": .count(messages.count)])
        return Finding(
            name: "readings-set-aside", severity: isHeated ? .notice : .cold, subject: topic, room: room,
            text: .finding(
                .noTemperature,
                [
                    "topic": .text(topic), "reason": .text(messages.reason), "times": .sentence(times),
                    "time": .duration(now - messages.lastAt), "sample": .text(escaped(messages.sample)),
                ]),
            advice: advice(on: HomeTopic.temperature(room).string, messages))
    }

    /// A message with a number in another form than the black box's takes a table; of others nobody knows what they mean.
    private func advice(on topic: String, _ messages: SetAsideReadings) -> Sentence {
        let (payload, rules) = (messages.payload, DeviceRules([]))
        let outcome = rules.read(topic: topic, payload: payload, isRetained: false, arrival: Timestamp(nanoseconds: 0))
        if case .rejected(let rejection)? = outcome.first, !JSONPath.numbers(in: payload).isEmpty {
            let command = Sentence.Value.text("hearth devices --test TOPIC PAYLOAD")
            return .finding(
                .tryIt, ["advice": .sentence(rules.advice(for: rejection, payload: payload)), "command": command])
        }
        let line = #"{"timestamp": "2026-11-23T10:00:00Z", "value": 21.5}"#
        return .finding(.publishLine, ["line": .text(line), "topic": .text(escaped(topic))])
    }

    // MARK: Pumps

    private func pump(_ room: Room, _ view: ControlBoard.RoomView) -> Finding? {
        guard let problem = view.status.pumpProblem else { return nil }
        return Finding(
            name: "pump-not-responding", severity: .cold, subject: room.name, room: room,
            text: .finding(
                .roomProblem, ["room": .text(room.displayName), "problem": .sentence(problem.sentence(in: unit))]),
            advice: pumpAdvice(room))
    }

    private func pumpAdvice(_ room: Room) -> Sentence {
        // In a house without tables the black box is what there is.
        guard devices[room] == nil, hasTables else { return .finding(.checkPump) }
        return .finding(
            .checkPlainPump,
            [
                "room": .text(room.displayName), "topic": .text(escaped(HomeTopic.heatpump(room).string)),
                "command": .text("hearth devices"),
            ])
    }

    private func cycles(_ room: Room, _ view: ControlBoard.RoomView, _ now: Instant) -> Finding? {
        let starts = view.status.starts.count { now - $0 < .seconds(3600) }
        guard starts > Self.startsPerHour else { return nil }
        let times = Sentence.finding(
            starts >= Thermostat.startsKept ? .timesOrMore : .times, ["count": .count(starts)])
        return Finding(
            name: "pump-cycles", severity: .heating, subject: room.name, room: room,
            text: .finding(.cycles, ["room": .text(room.displayName), "times": .sentence(times)]),
            advice: .finding(.setMinima))
    }

    private func foreign(_ room: Room, _ view: ControlBoard.RoomView, _ now: Instant) -> [Finding] {
        guard view.settings.enabled, let last = view.foreign.recent(now: now) else { return [] }
        let topic = escaped(HomeTopic.heatpump(room).string)
        return [
            Finding(
                name: "foreign-controller", severity: .heating, subject: room.name, room: room,
                text: .finding(
                    last.isOn ? .othersOn : .othersOff,
                    ["topic": .text(topic), "time": .duration(now - last.time)]),
                advice: .finding(.onlyHearth, command: "mosquitto_sub -t '\(topic)' -F %j"))
        ]
    }
}

extension ControlBoard.RoomView {
    /// False for a room of which there is nothing to say. A finding whose cause is not here is never made.
    fileprivate var mayHaveFindings: Bool {
        status.isStale || status.lastDiscardedAt != nil || status.pumpProblem != nil || foreign.last != nil
            || status.starts.count > ControlBoard.Contents.startsPerHour
    }
}

/// Whether two names differ only in case, in what separates words, or in one letter.
func isNearlySame(_ left: String, _ right: String) -> Bool {
    func bare(_ name: String) -> [Unicode.Scalar] {
        Array(name.lowercased().unicodeScalars.filter { !" _-.".unicodeScalars.contains($0) })
    }
    let (a, b) = (bare(left), bare(right))
    // Two short names, such as r1 and r2, are two rooms; "Küche" composed and decomposed is one.
    return left == right || a == b || (min(a.count, b.count) >= 4 && isOneEditApart(a, b))
}

/// One letter more, less or other, or two neighbours exchanged.
private func isOneEditApart(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Bool {
    let start = zip(a, b).prefix { $0 == $1 }.count
    let (x, y) = (a.dropFirst(start), b.dropFirst(start))
    if x.dropFirst().elementsEqual(y.dropFirst()) { return true }
    if x.dropFirst().elementsEqual(y) || y.dropFirst().elementsEqual(x) { return true }
    let (p, q) = (Array(x), Array(y))
    return p.count >= 2 && p.count == q.count && p[0] == q[1] && p[1] == q[0] && p.dropFirst(2) == q.dropFirst(2)
}

/// Names and messages from the wire, for a terminal.
private func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
}
