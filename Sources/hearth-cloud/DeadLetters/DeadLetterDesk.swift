import EventLog
import Heating
import MQTT
import Machine

/// Does what `hearth-cloud dead-letters` asks for: in that process, or for it in the one that has the journal open.
struct DeadLetterDesk: Sendable {
    /// Where the process that has the log open takes questions, and the header that no browser sends by itself.
    static let path = "/dead-letters"
    static let header = "x-hearth-dead-letters"

    enum Action: String, Sendable {
        case list, show, replay, drop
    }

    struct Request: Sendable {
        var action = Action.list
        var filter = DeadLetterBox.Filter()
        /// Of `list`.
        var limit = 1000
        var isJSON = false
    }

    let log: any EventLog
    let topics: LogTopics
    /// Called once some were dealt with.
    var onChange: @Sendable () -> Void = {}

    /// - Parameter body: a request as JSON.
    func answer(_ body: [UInt8]) throws -> String {
        guard let json = try? JSON.parse(body), let request = Request(json) else {
            throw SettingError("not a question about dead letters")
        }
        return try answer(request)
    }

    func answer(_ request: Request) throws -> String {
        switch request.action {
        case .list: return try list(request)
        case .show:
            var text = ""
            try each(request) { text += request.isJSON ? $0.json.serialized() + "\n" : $0.details }
            return text
        case .replay: return try replay(request)
        case .drop: return try drop(request)
        }
    }

    /// There may be more of them than memory.
    private func each(_ request: Request, _ body: (DeadLetterBox.Item) -> Void) throws(EventLogError) {
        try DeadLetterBox.each(in: log, topic: topics.deadLetter, where: { request.filter.takes($0) }, body)
    }

    private func list(_ request: Request) throws -> String {
        var (newest, count): ([String], Int) = ([], 0)
        try each(request) { item in
            count += 1
            newest.append(request.isJSON ? item.json.serialized() : item.line)
            if newest.count > 2 * request.limit { newest.removeFirst(newest.count - request.limit) }
        }
        let shown = newest.suffix(request.limit)
        let text = shown.map { $0 + "\n" }.joined()
        let more = count - shown.count
        return request.isJSON
            ? text : text + "\(count) dead letters" + (more > 0 ? ", the newest \(shown.count) shown\n" : "\n")
    }

    private func drop(_ request: Request) throws -> String {
        var places = DeadLetterBox.Places()
        try each(request) { places.insert($0) }
        try log.append(DeadLetterBox.notes(of: places, action: "dropped", topic: topics.deadLetter))
        onChange()
        return "\(places.count) dropped\n"
    }

    // MARK: Replaying

    private static let replayedAtOnce = 1000

    private func replay(_ request: Request) throws -> String {
        var (done, refused): (Int, [String]) = (0, [])
        try DeadLetterBox.parts(
            of: Self.replayedAtOnce, in: log, topic: topics.deadLetter, where: { request.filter.takes($0) }
        ) { items in
            var (events, sent): ([Event], [DeadLetterBox.Item]) = ([], [])
            for item in items {
                switch again(item.letter) {
                case .success(let made):
                    events += made
                    sent.append(item)
                case .failure(let cause): refused.append("not replayed: \(item.place): \(cause.text)\n")
                }
            }
            // Events first: after a crash in between they are there twice, which makes the same points.
            try log.append(events)
            try log.append(DeadLetterBox.notes(of: sent, action: "replayed", topic: topics.deadLetter))
            done += sent.count
        }
        onChange()
        return refused.joined() + "\(done) replayed, \(refused.count) not\n"
    }

    private struct Obstacle: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    /// The events that a dead letter becomes when it takes its way again.
    private func again(_ letter: DeadLetter) -> Result<[Event], Obstacle> {
        if letter.isCut {
            return .failure(
                Obstacle("only \(letter.bytes.count) of its \(letter.length) bytes are kept (sha256 \(letter.hash))"))
        }
        if letter.kind == .point { return point(letter) }
        var time = EventTime()
        if UnknownZones.waits(letter), let zone = UnknownZones.zone(of: letter), time.isUnknown(zone: zone) {
            return .failure(
                Obstacle("\(letter.pipeline ?? "its pipeline") writes it by itself once it knows the time zone"))
        }
        if let topic = sourceTopic(letter) {
            return .success([Event(topic: topic, key: letter.key, value: letter.bytes)])
        }
        let message = Message(
            topic: letter.source, payload: letter.bytes,
            userProperties: letter.properties.map { UserProperty($0.name, $0.value) })
        var decoder = IngestDecoder(topics: topics)
        let made = decoder.decode([message], arrival: Clock.wall).events
        if let dead = made.first(where: { $0.topic == topics.deadLetter }) {
            return .failure(Obstacle("it still cannot be used: \(DeadLetter(dead)?.reason ?? letter.reason)"))
        }
        return made.isEmpty ? .failure(Obstacle("nothing comes of it")) : .success(made)
    }

    /// A line is tried again by its pipeline, as those are that wait for a field's type.
    private func point(_ letter: DeadLetter) -> Result<[Event], Obstacle> {
        if HeldPoints.classes.contains(letter.reasonClass) {
            return .failure(
                Obstacle("\(letter.pipeline ?? "its pipeline") writes it by itself once the database takes it"))
        }
        var again = letter
        again.reason = "\(letter.pipeline ?? ""): \(HeldPoints.reasonClass): replay was asked for; was \(letter.reason)"
        return .success([again.event(topic: topics.deadLetter)])
    }

    /// The topic of the event log that a pipeline had it from.
    private func sourceTopic(_ letter: DeadLetter) -> String? {
        [topics.raw, topics.clean, topics.commands].first {
            letter.source.hasPrefix($0 + "[") && letter.source.contains("]@")
        }
    }
}

extension DeadLetterDesk.Request {
    init?(_ json: JSON) {
        guard let action = json["action"]?.string.flatMap(DeadLetterDesk.Action.init) else { return nil }
        self.action = action
        filter = DeadLetterBox.Filter(
            reason: json["reason"]?.string, since: json["since"]?.int, until: json["until"]?.int,
            place: json["place"]?.string)
        limit = json["limit"]?.int.map { Int(clamping: $0) } ?? limit
        isJSON = json["json"]?.bool ?? false
    }

    var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("action", .string(action.rawValue)), ("limit", JSON(limit)), ("json", .bool(isJSON)),
        ]
        if let reason = filter.reason { members.append(("reason", .string(reason))) }
        if let since = filter.since { members.append(("since", JSON(since))) }
        if let until = filter.until { members.append(("until", JSON(until))) }
        if let place = filter.place { members.append(("place", .string(place))) }
        return .object(.init(members))
    }
}

extension DeadLetterBox.Item {
    /// One line of a list.
    var line: String {
        "\(place)  \(Timestamp(nanoseconds: at))  \(printable(letter.key))  \(printable(letter.source))  "
            + "\(letter.length) bytes\(letter.isCut ? " (cut)" : "")  \(printable(letter.reason))"
    }

    var details: String {
        let properties = letter.properties.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return """
            place:    \(place)
            time:     \(Timestamp(nanoseconds: at))
            key:      \(printable(letter.key))
            source:   \(printable(letter.source))
            reason:   \(printable(letter.reason))
            bytes:    \(letter.length)\(letter.isCut ? ", of which \(letter.bytes.count) are kept" : "")
            sha256:   \(letter.hash)
            more:     \(printable(properties))
            \(printable(String(decoding: letter.bytes, as: UTF8.self)))


            """
    }

    var json: JSON {
        .object(
            .init([
                ("place", .string(place)), ("time", .string("\(Timestamp(nanoseconds: at))")),
                ("key", .string(letter.key)), ("source", .string(letter.source)), ("reason", .string(letter.reason)),
                ("kind", .string(letter.kind.rawValue)), ("length", JSON(letter.length)), ("cut", .bool(letter.isCut)),
                ("sha256", .string(letter.hash)), ("text", .string(String(decoding: letter.bytes, as: UTF8.self))),
            ]))
    }

    /// What others wrote must not steer a terminal.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
