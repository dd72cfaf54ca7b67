import GatewayClient
import Heating

/// The reply of `io.hearth.Gateway.Journal`. As tolerant as ``Status``.
struct JournalReport: Equatable, Sendable {
    var journal: JournalFigures?
    var lowWatermark: Int64?
    var firstKept: Int64?
    var newest: Int64?
    var oldestUnconfirmedSeconds: Double?
    /// The newest messages that were not readings.
    var setAside: [SetAsideMessage]

    init(_ json: JSON) {
        journal = json["journal"].ifObject(JournalFigures.init)
        lowWatermark = count(json["lowWatermark"])
        firstKept = count(json["firstKept"]) ?? journal?.firstKept
        newest = count(json["newest"]) ?? journal?.newest
        oldestUnconfirmedSeconds = json["oldestUnconfirmedSeconds"]?.double
        setAside = (json["setAside"]?.array ?? []).map(SetAsideMessage.init)
    }
}

struct SetAsideMessage: Equatable, Sendable {
    var topic: String
    var reason: String
    /// The beginning of the message, invalid UTF-8 replaced.
    var payload: String
    var ageSeconds: Double?

    init(_ json: JSON) {
        topic = json["topic"]?.string ?? "?"
        reason = json["reason"]?.string ?? "?"
        payload = json["payload"]?.string ?? ""
        ageSeconds = json["ageSeconds"]?.double
    }
}

/// One line of `hearth doctor`, from the daemon's `Doctor` or from a check that hearth makes itself.
struct DoctorCheck: Equatable, Sendable {
    enum State: String, Sendable, Comparable {
        case ok, warning, error

        static func < (left: State, right: State) -> Bool { left.severity < right.severity }
        private var severity: Int { self == .ok ? 0 : self == .warning ? 1 : 2 }
    }

    var name: String
    var state: State
    /// What was found.
    var detail: String
    /// What to do; empty when nothing is needed.
    var advice: String

    init(_ name: String, _ state: State, _ detail: String, advice: String = "") {
        self.name = name
        self.state = state
        self.detail = detail
        self.advice = advice
    }

    /// A state this tool does not know counts as a warning: neither hidden nor a failure.
    init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        state = json["state"]?.string.flatMap(State.init(rawValue:)) ?? .warning
        detail = json["detail"]?.string ?? ""
        advice = json["advice"]?.string ?? ""
    }

    var json: JSON {
        ["name": .string(name), "state": .string(state.rawValue), "detail": .string(detail), "advice": .string(advice)]
    }
}

/// One command that was given to a heat pump: an element of the reply of `io.hearth.Gateway.Why`.
struct Decision: Equatable, Sendable {
    /// ISO 8601 as the daemon wrote it.
    var time: String
    var isPumpOn: Bool?
    var reason: String

    init(_ json: JSON) {
        time = json["time"]?.string ?? "?"
        isPumpOn = pumpState(json["pump"])
        reason = json["reason"]?.string ?? ""
    }
}

/// The reply of `io.hearth.Gateway.Override`.
struct OverrideReply: Equatable, Sendable {
    var room: String
    /// Every room was meant.
    var isAll: Bool
    /// "on", "off", "auto", a preset or a temperature in `unit`.
    var pump: String
    var unit: TemperatureUnit
    /// The room's mode is off.
    var isOff: Bool
    var secondsLeft: Double?
    /// The home broker is connected, so that the pump can hear it.
    var isReachable: Bool

    init(_ json: JSON) {
        isReachable = json["isReachable"]?.bool ?? true
        isAll = json["room"]?.isNull ?? true && json["rooms"] != nil
        unit = json["temperatureUnit"]?.string.flatMap(TemperatureUnit.init(rawValue:)) ?? .celsius
        isOff = json["isOff"]?.bool ?? false
        room = json["room"]?.string ?? "?"
        pump = json["pump"]?.string ?? "?"
        secondsLeft = json["secondsLeft"]?.double
    }
}
