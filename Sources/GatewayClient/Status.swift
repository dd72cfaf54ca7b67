import Heating

/// What hearthd says about itself: the reply of `io.hearth.Gateway.Status`.
///
/// Reading never fails: a key that is missing, null or of another type is nil or empty, an unknown key is ignored,
/// so that an older or newer daemon is still shown as far as it is understood.
package struct Status: Equatable, Sendable {
    package var version: String?
    package var home: String?
    /// Of all temperatures in here and in texts.
    package var temperatureUnit: TemperatureUnit
    package var uptimeSeconds: Double?
    /// Why the last reload was refused.
    package var configurationError: String?
    package var rooms: [RoomStatus]
    /// What rooms measure beside their temperature.
    package var measures: [MeasureStatus]
    package var links: [LinkStatus]
    package var uplink: UplinkStatus?
    package var journal: JournalFigures?
    package var disk: DiskStatus?
    /// The process that records and forwards; nil for a daemon that has none.
    package var recording: RecordingStatus?
    package var counters: Counters
    /// Most urgent first.
    package var alarms: [Alarm]

    package init(_ json: JSON) {
        version = json["version"]?.string
        home = json["home"]?.string
        temperatureUnit = json["temperatureUnit"]?.string.flatMap(TemperatureUnit.init(rawValue:)) ?? .celsius
        uptimeSeconds = json["uptimeSeconds"]?.double
        configurationError = json["configurationError"]?.string
        rooms = (json["rooms"]?.array ?? []).map(RoomStatus.init)
        measures = (json["measures"]?.array ?? []).map(MeasureStatus.init)
        links = (json["links"]?.array ?? []).map(LinkStatus.init)
        uplink = json["uplink"].ifObject(UplinkStatus.init)
        journal = json["journal"].ifObject(JournalFigures.init)
        disk = json["disk"].ifObject(DiskStatus.init)
        recording = json["recording"].ifObject(RecordingStatus.init)
        counters = Counters(json["counters"] ?? .null)
        alarms = (json["alarms"]?.array ?? []).map(Alarm.init)
    }
}

package struct RoomStatus: Equatable, Sendable {
    package var name: String
    /// What people call it.
    package var displayName: String
    /// In the house's unit, as all temperatures here.
    package var temperature: Double?
    package var readingAgeSeconds: Double?
    package var isStale: Bool
    /// Nil while no decision has been taken.
    package var isPumpOn: Bool?
    /// How long the pump has been so.
    package var pumpSeconds: Double?
    package var reason: String
    /// The room is switched off, without an end.
    package var isOff: Bool
    /// The number that was asked for; nil where limits count.
    package var target: Double?
    package var onBelow: Double?
    package var offAbove: Double?
    package var override: OverrideStatus?
    package var hold: HoldStatus?
    /// How long a wish has to wait for the compressor's minimum time.
    package var waitingSeconds: Double?
    /// That in words.
    package var waiting: String?
    /// Whose limits count, if they are a preset's.
    package var preset: String?
    /// The preset that the schedule says, also while something else is held.
    package var scheduled: String?
    /// What the room does although its pump was told otherwise.
    package var pumpProblem: String?
    /// Readings that were ignored as a sensor's fault, since the start.
    package var discarded: Int64?
    package var device: DeviceStatus?
    package var valve: DeviceStatus?

    package init(_ json: JSON) {
        name = json["room"]?.string ?? "?"
        displayName = json["name"]?.string ?? json["room"]?.string ?? "?"
        temperature = json["temperature"]?.double
        readingAgeSeconds = json["readingAgeSeconds"]?.double
        isStale = json["stale"]?.bool ?? false
        isPumpOn = pumpState(json["pump"])
        pumpSeconds = json["pumpSeconds"]?.double
        reason = json["reason"]?.string ?? ""
        isOff = json["mode"]?.string == "off"
        target = json["target"]?.double
        onBelow = json["onBelow"]?.double
        offAbove = json["offAbove"]?.double
        override = json["override"].ifObject(OverrideStatus.init)
        hold = json["hold"].ifObject(HoldStatus.init)
        waitingSeconds = json["waitingSeconds"]?.double
        waiting = json["waiting"]?.string
        preset = json["preset"]?.string
        scheduled = json["scheduled"]?.string
        pumpProblem = json["pumpProblem"]?.string
        discarded = count(json["discarded"])
        device = json["device"].ifObject(DeviceStatus.init)
        valve = json["valve"].ifObject(DeviceStatus.init)
    }
}

/// Other limits for a while.
package struct HoldStatus: Equatable, Sendable {
    /// A preset, or the temperature in the middle.
    package var target: String
    package var source: String
    /// Nil: until somebody changes it.
    package var secondsLeft: Double?

    package init(_ json: JSON) {
        target = json["target"]?.string ?? json["target"]?.double.map { "\($0)" } ?? "?"
        source = json["source"]?.string ?? "?"
        secondsLeft = json["secondsLeft"]?.double
    }
}

package struct OverrideStatus: Equatable, Sendable {
    package var isPumpOn: Bool?
    /// Who asked: "cli", "page", "home-assistant", "cloud".
    package var source: String
    package var secondsLeft: Double?

    package init(_ json: JSON) {
        isPumpOn = pumpState(json["pump"])
        source = json["source"]?.string ?? "?"
        secondsLeft = json["secondsLeft"]?.double
    }
}

package struct LinkStatus: Equatable, Sendable {
    package enum State: String, Sendable {
        case connected, connecting, waiting, stopped, unknown
    }

    /// The lane it serves: "control", "record" or "uplink".
    package var name: String
    package var peer: String
    package var state: State
    /// How long it has been in this state; when waiting, how long until the next attempt.
    package var seconds: Double?
    package var protocolName: String?
    /// The last error, or empty.
    package var detail: String

    package init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        peer = json["peer"]?.string ?? "?"
        state = json["state"]?.string.flatMap(State.init(rawValue:)) ?? .unknown
        seconds = json["seconds"]?.double
        protocolName = json["protocol"]?.string
        detail = json["detail"]?.string ?? ""
    }
}

package struct UplinkStatus: Equatable, Sendable {
    /// False: the box has no cloud and wants none.
    package var isEnabled: Bool
    /// Who confirms: "ingestor" or "broker".
    package var confirm: String?
    /// Readings that the cloud has not confirmed.
    package var backlog: Int64?
    package var oldestSeconds: Double?
    package var ratePerSecond: Double?
    package var secondsToDrain: Double?
    package var inFlight: Int64?
    package var resent: Int64?
    /// Every sequence up to here is confirmed.
    package var confirmedThrough: Int64?

    package init(_ json: JSON) {
        isEnabled = json["enabled"]?.bool ?? true
        confirm = json["confirm"]?.string
        backlog = count(json["backlog"])
        oldestSeconds = json["oldestSeconds"]?.double
        ratePerSecond = json["ratePerSecond"]?.double
        secondsToDrain = json["secondsToDrain"]?.double
        inFlight = count(json["inFlight"])
        resent = count(json["resent"])
        confirmedThrough = count(json["confirmedThrough"])
    }
}

package struct JournalFigures: Equatable, Sendable {
    package var path: String?
    package var epoch: String?
    package var newest: Int64?
    package var firstKept: Int64?
    package var usedBytes: Int64?
    package var fileBytes: Int64?
    package var walBytes: Int64?
    package var maxBytes: Int64?
    /// Readings lost because the journal was full.
    package var dropped: Int64?
    /// Rows whose checksum was wrong.
    package var quarantined: Int64?
    package var setAside: [ReasonCount]
    /// Transactions since the daemon started.
    package var commits: Int64?
    package var lastCommitMilliseconds: Double?
    package var lastError: String?

    package init(_ json: JSON) {
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

package struct DiskStatus: Equatable, Sendable {
    package var freeBytes: Int64?
    package var totalBytes: Int64?

    package init(_ json: JSON) {
        freeBytes = count(json["freeBytes"])
        totalBytes = count(json["totalBytes"])
    }
}

package struct Counters: Equatable, Sendable {
    package var readings: Int64?
    package var recorded: Int64?
    package var duplicates: Int64?
    /// Readings that got a place beside another of their room with the same time.
    package var sameTime: Int64?
    package var retained: Int64?
    package var rejected: [ReasonCount]
    /// Devices' readings with a time that cannot be: they have that of their arrival.
    package var absurdTimes: Int64?
    package var commands: Int64?

    package init(_ json: JSON) {
        readings = count(json["readings"])
        recorded = count(json["recorded"])
        duplicates = count(json["duplicates"])
        sameTime = count(json["sameTime"])
        retained = count(json["retained"])
        rejected = reasonCounts(json["rejected"])
        absurdTimes = count(json["replacedTimes"]?["absurd"] ?? .null)
        commands = count(json["commands"])
    }
}

/// The process that records and forwards, as the one that heats sees it.
package struct RecordingStatus: Equatable, Sendable {
    /// Nil while it does not run.
    package var pid: Int64?
    package var restarts: Int64?
    /// How long it has been running, or not.
    package var seconds: Double?
    /// Since its last word; nil before the first.
    package var silentSeconds: Double?
    /// How it ended last.
    package var lastEnd: String?

    package init(_ json: JSON) {
        pid = count(json["pid"])
        restarts = count(json["restarts"])
        seconds = json["seconds"]?.double
        silentSeconds = json["silentSeconds"]?.double
        lastEnd = json["lastEnd"]?.string
    }

    /// Not running, or silent for longer than its words are ever on their way.
    package var isAway: Bool { pid == nil || silentSeconds.map { $0 >= 3 } ?? false }
}

package struct Alarm: Equatable, Sendable {
    /// What it costs the house while it lasts, most urgent first.
    package enum Severity: String, Sendable, Comparable, CaseIterable {
        case cold, heating, recording, forwarding, notice

        package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    package var name: String
    /// Of a daemon that does not say, or says something new: `heating`, so that it is not overlooked.
    package var severity: Severity
    /// What it is about where there may be several of one name; or empty.
    package var subject: String
    /// The room that it is about, if it is about one.
    package var room: String?
    package var text: String
    /// What to do about it.
    package var advice: String

    package init(_ json: JSON) {
        name = json["name"]?.string ?? "?"
        severity = json["severity"]?.string.flatMap(Severity.init(rawValue:)) ?? .heating
        subject = json["subject"]?.string ?? ""
        room = json["room"]?.string
        text = json["text"]?.string ?? ""
        advice = json["advice"]?.string ?? ""
    }
}
