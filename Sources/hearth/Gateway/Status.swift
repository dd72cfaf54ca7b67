import Heating

/// What hearthd says about itself: the reply of `io.hearth.Gateway.Status`.
///
/// Reading never fails: a key that is missing, null or of another type is nil or empty, an unknown key is ignored,
/// so that an older or newer daemon is still shown as far as it is understood.
struct Status: Equatable, Sendable {
    var version: String?
    var home: String?
    var uptimeSeconds: Double?
    /// Why the last reload was refused.
    var configurationError: String?
    var rooms: [RoomStatus]
    var links: [LinkStatus]
    var uplink: UplinkStatus?
    var journal: JournalStatus?
    var disk: DiskStatus?
    var counters: Counters
    var alarms: [Alarm]

    init(_ json: JSON) {
        version = json["version"]?.string
        home = json["home"]?.string
        uptimeSeconds = json["uptimeSeconds"]?.double
        configurationError = json["configurationError"]?.string
        rooms = (json["rooms"]?.array ?? []).map(RoomStatus.init)
        links = (json["links"]?.array ?? []).map(LinkStatus.init)
        uplink = json["uplink"].ifObject(UplinkStatus.init)
        journal = json["journal"].ifObject(JournalStatus.init)
        disk = json["disk"].ifObject(DiskStatus.init)
        counters = Counters(json["counters"] ?? .null)
        alarms = (json["alarms"]?.array ?? []).map(Alarm.init)
    }
}

struct RoomStatus: Equatable, Sendable {
    var name: String
    /// Degrees Celsius.
    var temperature: Double?
    var readingAgeSeconds: Double?
    var isStale: Bool
    /// Nil while no decision has been taken.
    var isPumpOn: Bool?
    /// How long the pump has been so.
    var pumpSeconds: Double?
    var reason: String
    var onBelow: Double?
    var offAbove: Double?
    var override: OverrideStatus?
    /// How long a wish has to wait for the compressor's minimum time.
    var waitingSeconds: Double?

    init(_ json: JSON) {
        name = json["room"]?.string ?? "?"
        temperature = json["temperature"]?.double
        readingAgeSeconds = json["readingAgeSeconds"]?.double
        isStale = json["stale"]?.bool ?? false
        isPumpOn = pumpState(json["pump"])
        pumpSeconds = json["pumpSeconds"]?.double
        reason = json["reason"]?.string ?? ""
        onBelow = json["onBelow"]?.double
        offAbove = json["offAbove"]?.double
        override = json["override"].ifObject(OverrideStatus.init)
        waitingSeconds = json["waitingSeconds"]?.double
    }
}

struct OverrideStatus: Equatable, Sendable {
    var isPumpOn: Bool?
    /// Who asked: "cli", "cloud", "web".
    var source: String
    var secondsLeft: Double?

    init(_ json: JSON) {
        isPumpOn = pumpState(json["pump"])
        source = json["source"]?.string ?? "?"
        secondsLeft = json["secondsLeft"]?.double
    }
}

struct LinkStatus: Equatable, Sendable {
    enum State: String, Sendable {
        case connected, connecting, waiting, stopped, unknown
    }

    /// The lane it serves: "control", "record" or "uplink".
    var name: String
    var peer: String
    var state: State
    /// How long it has been in this state; when waiting, how long until the next attempt.
    var seconds: Double?
    var protocolName: String?
    /// The last error, or empty.
    var detail: String

    init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        peer = json["peer"]?.string ?? "?"
        state = json["state"]?.string.flatMap(State.init(rawValue:)) ?? .unknown
        seconds = json["seconds"]?.double
        protocolName = json["protocol"]?.string
        detail = json["detail"]?.string ?? ""
    }
}

struct UplinkStatus: Equatable, Sendable {
    /// Who confirms: "ingestor" or "broker".
    var confirm: String?
    /// Readings that the cloud has not confirmed.
    var backlog: Int64?
    var oldestSeconds: Double?
    var ratePerSecond: Double?
    var secondsToDrain: Double?
    var inFlight: Int64?
    var resent: Int64?

    init(_ json: JSON) {
        confirm = json["confirm"]?.string
        backlog = count(json["backlog"])
        oldestSeconds = json["oldestSeconds"]?.double
        ratePerSecond = json["ratePerSecond"]?.double
        secondsToDrain = json["secondsToDrain"]?.double
        inFlight = count(json["inFlight"])
        resent = count(json["resent"])
    }
}

struct JournalStatus: Equatable, Sendable {
    var path: String?
    var epoch: String?
    var newest: Int64?
    var firstKept: Int64?
    var usedBytes: Int64?
    var fileBytes: Int64?
    var walBytes: Int64?
    var maxBytes: Int64?
    /// Readings lost because the journal was full.
    var dropped: Int64?
    /// Rows whose checksum was wrong.
    var quarantined: Int64?
    var setAside: [ReasonCount]
    /// Transactions since the daemon started.
    var commits: Int64?
    var lastCommitMilliseconds: Double?
    var lastError: String?

    init(_ json: JSON) {
        path = json["path"]?.string
        epoch = json["epoch"]?.string
        newest = count(json["newest"])
        firstKept = count(json["firstKept"])
        usedBytes = count(json["usedBytes"])
        fileBytes = count(json["fileBytes"])
        walBytes = count(json["walBytes"])
        maxBytes = count(json["maxBytes"])
        dropped = count(json["dropped"])
        quarantined = count(json["quarantined"])
        setAside = reasonCounts(json["setAside"])
        commits = count(json["commits"])
        lastCommitMilliseconds = json["lastCommitMilliseconds"]?.double
        lastError = json["lastError"]?.string
    }
}

struct DiskStatus: Equatable, Sendable {
    var freeBytes: Int64?
    var totalBytes: Int64?

    init(_ json: JSON) {
        freeBytes = count(json["freeBytes"])
        totalBytes = count(json["totalBytes"])
    }
}

struct Counters: Equatable, Sendable {
    var readings: Int64?
    var recorded: Int64?
    var duplicates: Int64?
    var retained: Int64?
    var rejected: [ReasonCount]
    var commands: Int64?

    init(_ json: JSON) {
        readings = count(json["readings"])
        recorded = count(json["recorded"])
        duplicates = count(json["duplicates"])
        retained = count(json["retained"])
        rejected = reasonCounts(json["rejected"])
        commands = count(json["commands"])
    }
}

struct Alarm: Equatable, Sendable {
    var name: String
    var text: String
    /// What to do about it.
    var advice: String

    init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        text = json["text"]?.string ?? ""
        advice = json["advice"]?.string ?? ""
    }
}
