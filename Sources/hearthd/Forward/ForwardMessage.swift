import Heating

/// What the parent says to its child `hearthd forward`. Written by ``ForwardProcess``, read by ``Forwarder``.
///
/// On the wire each message is one JSON object and a NUL; a message that cannot be read is an error of the program, and
/// the process that sent it is not listened to any further.
enum ForwardOrder: Equatable, Sendable {
    /// The whole configuration, as ``Configuration/text`` writes it: the first one starts the lanes, later ones are reloads.
    case settings(String)
    /// About the journal; answered by ``ForwardEvent/answer(id:_:)`` of the same id.
    case question(id: Int64, ForwardQuestion, JSON)
    /// The names of what is wrong in the whole house now, most urgent first, for `<home>/gateway/status`.
    case findings([String])
    /// Commit, say goodbye to the brokers and end.
    case stop

    var json: JSON {
        switch self {
        case .settings(let text): ["settings": .string(text)]
        case .question(let id, let question, let parameters):
            ["question": .string(question.rawValue), "id": JSON(id), "parameters": parameters]
        case .findings(let names): ["findings": .array(names.map { .string($0) })]
        case .stop: ["stop": true]
        }
    }

    init?(_ json: JSON) {
        if let text = json["settings"]?.string {
            self = .settings(text)
        } else if let id = json["id"]?.int, let name = json["question"]?.string.flatMap(ForwardQuestion.init) {
            self = .question(id: id, name, json["parameters"] ?? .null)
        } else if let names = json["findings"]?.array {
            self = .findings(names.compactMap(\.string))
        } else if json["stop"]?.bool == true {
            self = .stop
        } else {
            return nil
        }
    }
}

/// What only the process that has the journal can answer.
enum ForwardQuestion: String, Sendable {
    /// How things are this moment, as in ``ForwardEvent/report(_:)``.
    case report
    case journal, audit, readings, history
}

/// What the child says to its parent. Written by ``ForwardOutbox``, read by ``ForwardProcess``.
enum ForwardEvent: Equatable, Sendable {
    /// The link to the cloud broker came up or went down.
    case cloudLink(isUp: Bool)
    /// The cloud commands a room's heat pump.
    case command(Room, HeatPumpCommand)
    /// How things are, every second: the sign of life, and what status and doctor show of this side.
    case report(JSON)
    case answer(id: Int64, ForwardAnswer)

    var json: JSON {
        switch self {
        case .cloudLink(let isUp): ["cloudLink": .bool(isUp)]
        case .command(let room, let command):
            ["command": .string(String(decoding: command.payload, as: UTF8.self)), "room": .string(room.name)]
        case .report(let report): ["report": report]
        case .answer(let id, .answer(let answer)): ["id": JSON(id), "answer": answer]
        case .answer(let id, .failure(let text)): ["id": JSON(id), "failure": .string(text)]
        }
    }

    init?(_ json: JSON) {
        if let isUp = json["cloudLink"]?.bool {
            self = .cloudLink(isUp: isUp)
        } else if let room = json["room"]?.string.flatMap({ Room($0) }),
            let command = json["command"]?.string.flatMap({ try? HeatPumpCommand(payload: $0.utf8) })
        {
            self = .command(room, command)
        } else if let report = json["report"] {
            self = .report(report)
        } else if let id = json["id"]?.int, let answer = json["answer"] {
            self = .answer(id: id, .answer(answer))
        } else if let id = json["id"]?.int, let text = json["failure"]?.string {
            self = .answer(id: id, .failure(text))
        } else {
            return nil
        }
    }
}

/// The journal's answer, or why there is none in words for a person.
enum ForwardAnswer: Equatable, Sendable {
    case answer(JSON)
    case failure(String)
}
