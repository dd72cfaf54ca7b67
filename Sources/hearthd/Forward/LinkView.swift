import Heating
import MQTT

/// One MQTT connection as status and doctor show it, in whichever of the two processes it lives.
struct LinkView: Sendable {
    static let waiting = "waiting for the journal"

    /// The lane that it serves: `control`, `record` or `uplink`.
    var name: String
    var peer: String
    /// `connected`, `connecting`, `waiting` or `stopped`.
    var state: String
    /// How long it has been so; for a waiting link, how long until the next attempt.
    var seconds: Double
    var protocolName: String?
    /// What is going on, or what went wrong last.
    var detail: String

    var isConnected: Bool { state == "connected" }

    init(_ name: String, _ peer: String, _ connection: Connection?, _ now: Instant) {
        let description = LinkDescription(connection?.state ?? .idle, now: now.nanoseconds)
        (self.name, self.peer, state) = (name, peer, description.state)
        seconds = (Double(description.nanoseconds) / 1e8).rounded() / 10
        protocolName = description.protocolName
        detail = connection == nil ? Self.waiting : description.detail
    }

    /// Of a lane whose process says nothing.
    init(name: String, peer: String, stopped detail: String) {
        (self.name, self.peer, state, seconds, self.detail) = (name, peer, "stopped", 0, detail)
    }

    /// As the child sent it.
    init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        peer = json["peer"]?.string ?? "?"
        state = json["state"]?.string ?? "stopped"
        seconds = json["seconds"]?.double ?? 0
        protocolName = json["protocol"]?.string
        detail = json["detail"]?.string ?? ""
    }

    var json: JSON {
        [
            "name": .string(name), "peer": .string(peer), "state": .string(state), "seconds": JSON(seconds),
            "protocol": protocolName.map { .string($0) } ?? .null, "detail": .string(detail),
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
