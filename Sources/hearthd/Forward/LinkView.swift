import Heating
import MQTT

/// One MQTT connection as status and doctor show it, in whichever of the two processes it lives.
struct LinkView: Sendable {
    static let waiting = Sentence(LinkSentence.waitingForJournal)

    /// The lane that it serves: `control`, `record` or `uplink`.
    var name: String
    var peer: String
    /// `connected`, `connecting`, `waiting` or `stopped`.
    var state: String
    /// How long it has been so; for a waiting link, how long until the next attempt.
    var seconds: Double
    var protocolName: String?
    /// What is going on, or what went wrong last; nil while all is well.
    var said: Sentence?

    /// ``said`` in English.
    var detail: String { said?.text ?? "" }
    var isConnected: Bool { state == "connected" }

    init(_ name: String, _ peer: String, _ connection: Connection?, _ now: Instant) {
        let description = LinkDescription(connection?.state ?? .idle, now: now.nanoseconds)
        (self.name, self.peer, state) = (name, peer, description.state)
        seconds = (Double(description.nanoseconds) / 1e8).rounded() / 10
        protocolName = description.protocolName
        said = connection == nil ? Self.waiting : description.said
    }

    /// Of a lane whose process says nothing.
    init(name: String, peer: String, stopped said: Sentence) {
        (self.name, self.peer, state, seconds, self.said) = (name, peer, "stopped", 0, said)
    }

    /// As the child sent it.
    init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        peer = json["peer"]?.string ?? "?"
        state = json["state"]?.string ?? "stopped"
        seconds = json["seconds"]?.double ?? 0
        protocolName = json["protocol"]?.string
        said = json["say"].flatMap { Sentence($0) }
    }

    var json: JSON {
        [
            "name": .string(name), "peer": .string(peer), "state": .string(state), "seconds": JSON(seconds),
            "protocol": protocolName.map { .string($0) } ?? .null, "detail": .string(detail),
            "say": JSON(said) { $0.json },
        ]
    }

    /// Its line of `hearth doctor`.
    var check: Check {
        if isConnected { return Check(name: name, state: .ok, detail: "connected to \(peer)") }
        let isCloud = name == "uplink"
        return Check(
            name: name, state: isCloud ? .warning : .error, detail: "\(peer): \(detail)",
            advice: isCloud
                ? "Heating goes on and readings are kept. Check the internet and [cloud] in the configuration."
                : "Check the home broker (systemctl status mosquitto) and [local] in the configuration.")
    }
}
