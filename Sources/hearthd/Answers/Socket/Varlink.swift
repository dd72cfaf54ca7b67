import Heating
import MQTT
import Machine

/// A reply or an error, ready for the wire.
struct VarlinkReply {
    var message: JSON

    static func parameters(_ parameters: JSON, continues: Bool = false) -> VarlinkReply {
        VarlinkReply(message: continues ? ["parameters": parameters, "continues": true] : ["parameters": parameters])
    }

    static func error(_ name: String, _ text: String) -> VarlinkReply {
        VarlinkReply(message: ["error": .string(name), "parameters": ["message": .string(text)]])
    }

    /// Of what a person asked for; `name` is one of the interface's errors.
    static func refusal(
        _ name: String, in interface: String = VarlinkService.interface, _ sentence: Sentence
    ) -> VarlinkReply {
        let parameters: JSON = ["message": .string(sentence.text), "say": sentence.json]
        return VarlinkReply(message: ["error": .string("\(interface).\(name)"), "parameters": parameters])
    }

    static let invalidCall = error("org.varlink.service.InvalidParameter", "not a Varlink call")

    var bytes: [UInt8] { message.bytes + [0] }
}

/// What becomes of a call.
enum VarlinkOutcome {
    case reply(VarlinkReply)
    /// ``VarlinkService/answer(to:_:)`` has the answer later.
    case asked(VarlinkQuestion)
}

/// What a call waits for.
enum VarlinkQuestion: Equatable {
    /// The recording side's answer.
    case forward(Int64)
    /// That the disk has taken a change of the settings; `reply` is given then.
    case kept(Int64, since: Instant, reply: JSON)
}

/// The interface `io.hearth.Gateway`. Most calls are answered from snapshots; what only the journal knows is asked of the
/// recording side. No call makes the socket's thread wait for a lane, a disk or a broker.
struct VarlinkService: Sendable {
    static let interface = "io.hearth.Gateway"
    static let description = """
        # The heating gateway on this box.
        interface io.hearth.Gateway

        # Everything about now. With `more`, again every second. Temperatures are in `temperatureUnit`, "C" or "F", here and
        # everywhere else. Of a room: `mode` ("auto", "off"), `target` (the number that was asked for, or null), `hold` and
        # `override` with `secondsLeft` (null: until it is changed), `waiting` ("starts in 3 min: ..."), `device` and `valve`
        # (what they say of themselves: `available`, `says`, `confirmed`, `watts`). `say` has a sentence's English pattern, which is
        # its code, and its values, for who speaks another language.
        method Status() -> (version: string, home: string, temperatureUnit: string, startedAt: string, uptimeSeconds: float, \
        configurationError: ?string, rooms: []object, measures: []object, links: []object, uplink: object, journal: ?object, \
        disk: ?object, counters: object, alarms: []object)
        # The journal, and the newest messages set aside.
        method Journal() -> (journal: ?object, lowWatermark: ?int, oldestUnconfirmedSeconds: ?float, setAside: []object)
        # Checks with what to do about each.
        method Doctor() -> (checks: []object)
        # Switches a room's heat pump for a while ("on", "off"), or holds another setpoint: a preset ("frost", "eco", "comfort")
        # or a temperature ("21.5", in the house's unit), for `seconds`, for override_ttl, or `untilChanged`. "auto" ends
        # both and the mode off. `all` in the place of `room`: every room. `source` is "cli" (default) or "page".
        method Override(room: ?string, all: ?bool, pump: string, seconds: ?int, untilChanged: ?bool, source: ?string) -> \
        (room: ?string, rooms: []string, pump: string, secondsLeft: ?int, isReachable: bool)
        # Removes a room that is not in the file for good: from status, from Home Assistant, its retained state. It comes back
        # when its sensor speaks.
        method Forget(room: string) -> (room: string)
        # The last decisions, newest first, and what is wrong with the room.
        method Why(room: string) -> (decisions: []object, findings: []object)
        # The last hour in steps of 10 s ("hour"), the last 24 h in steps of 5 min ("day"), seven days in hours ("week"), 31
        # days in steps of six hours ("month") or 366 days ("year"): a value per step, null where there was none. Times are
        # wall clock, seconds since 1970. `isComplete` is false until the journal has been read after a start. Of a room:
        # `temperature` (the mean), `low`, `high`, `pump` (the share of the time that it was on) and `starts`. `outdoor` is null
        # or has `room`, `measure` and the same of what is measured outdoors.
        method History(span: ?string) -> (start: float, step: float, count: int, isComplete: bool, rooms: []object, \
        outdoor: ?object, outages: []object)
        # Sequences of the journal against what the cloud confirmed, a part per call; go on with `after` while `more`.
        method Audit(sinceSeconds: ?int, after: ?int) -> (epoch: string, confirm: string, first: int, \
        scannedThrough: int, settledThrough: ?int, newest: int, records: int, missing: [][]int, more: bool, \
        confirmedThrough: int, confirmedAbove: [][]int, lost: [][]int, dropped: int, quarantined: int)
        # Journaled readings as [room, arrival in wall nanoseconds, °C], a part per call; go on with `after` while `more`.
        method Readings(sinceSeconds: ?int, after: ?int) -> (readings: []object, scannedThrough: int, more: bool)
        # The thermostats' settings that a configuration's text would give, or those in force. Changes nothing.
        method Thermostats(configuration: ?string) -> (thermostat: object, rooms: object)
        # Looks at the home broker for devices, for `seconds` (15), and says how far that is; with `again` anew when it was
        # done. Ask until `isLooking` is false. `found` are tables for a file in `directory`; each lacks `room` or `rooms`.
        method Devices(seconds: ?int, again: ?bool) -> (isLooking: bool, secondsLeft: int, topics: int, problem: string, say: ?object, \
        configuration: string, directory: string, pid: int, found: []object)

        # What people may set, for the house and of each room, with where each value comes from: "default", "file", "house"
        # (set for the house) or "kept" (set for the room). `schedule` is a list of {"days": ["mon"], "time": "06:30", "preset":
        # "eco"}, presets.* a target or {"onBelow", "offAbove"}, and so is `target` where the room has limits.
        method GetSettings() -> (temperatureUnit: string, file: string, house: []object, rooms: []object)
        # Sets values of a room, or with `all` of the house, and keeps them above the file: mode ("auto", "off"), target, band,
        # schedule, presets.frost, presets.eco, presets.comfort (targets); of a room also name and order. null resets one. All or
        # nothing: what makes no sense is refused with the reason. `kept` says whether it is on disk; it counts in any case.
        method Set(room: ?string, all: ?bool, settings: object) -> (kept: bool, problem: ?string, say: ?object)
        # As Set with null; without `keys` everything that was set.
        method Reset(room: ?string, all: ?bool, keys: ?[]string) -> (kept: bool, problem: ?string, say: ?object)

        # Why something is not done, in English, and as a code with values (as `say` of Status).
        error InvalidSetting (message: string, say: object)
        error InvalidConfiguration (message: string)
        error NoSuchRoom (message: string, say: object)
        error ThermostatDisabled (message: string, say: object)
        error RoomInFile (message: string, say: object)
        error JournalUnavailable (message: string)
        """

    let gateway: Gateway

    func isRepeatable(_ call: VarlinkCall) -> Bool { call.method == "\(Self.interface).Status" }

    func outcome(of call: VarlinkCall) -> VarlinkOutcome {
        switch call.method {
        case "\(Self.interface).Journal": ask(.journal, .object(.init()))
        case "\(Self.interface).History": history(call.parameters)
        case "\(Self.interface).Audit": sinceSeconds(call.parameters, .audit)
        case "\(Self.interface).Readings": sinceSeconds(call.parameters, .readings)
        case "\(Self.interface).Status", "\(Self.interface).Doctor":
            gateway.forward.ask(.report, .null).map { .asked(.forward($0)) } ?? .reply(reply(to: call))
        case "\(Self.interface).Set": set(call.parameters)
        case "\(Self.interface).Reset": reset(call.parameters)
        default: .reply(reply(to: call))
        }
    }

    /// The reply to a call that waits; nil while there is none yet.
    func answer(to call: VarlinkCall, _ question: VarlinkQuestion) -> VarlinkReply? {
        switch question {
        case .forward(let id): answer(to: call, id: id)
        case .kept(let number, let since, let reply): kept(number, since, reply)
        }
    }

    private func answer(to call: VarlinkCall, id: Int64) -> VarlinkReply? {
        guard let answer = gateway.forward.takeAnswer(id) else { return nil }
        if isShown(call) {
            // What it said last is shown when it says nothing now.
            if case .answer(let report) = answer { gateway.forward.adopt(report: report) }
            return reply(to: call)
        }
        return switch answer {
        case .answer(let parameters): .parameters(parameters)
        case .failure(let text): .error("\(Self.interface).JournalUnavailable", text)
        }
    }

    private func isShown(_ call: VarlinkCall) -> Bool {
        ["\(Self.interface).Status", "\(Self.interface).Doctor"].contains(call.method)
    }

    /// Nobody waits any more.
    func forget(_ question: VarlinkQuestion) {
        if case .forward(let id) = question { gateway.forward.forget(id) }
    }

    /// Answered at once, from snapshots.
    func reply(to call: VarlinkCall) -> VarlinkReply {
        switch call.method {
        case "org.varlink.service.GetInfo":
            .parameters([
                "vendor": "Hearth", "product": "hearthd", "version": .string(Version.current),
                "url": "https://hearth.io", "interfaces": ["org.varlink.service", .string(Self.interface)],
            ])
        case "org.varlink.service.GetInterfaceDescription": interfaceDescription(call)
        case "\(Self.interface).Status":
            .parameters(StatusReport(gateway).json, continues: call.more)
        case "\(Self.interface).Doctor": .parameters(["checks": .array(Doctor(gateway).checks.map(\.json))])
        case "\(Self.interface).Override": override(call.parameters)
        case "\(Self.interface).Forget": forget(call.parameters)
        case "\(Self.interface).GetSettings":
            .parameters(SettingsReport(gateway.snapshot, gateway.controlBoard.snapshot).json)
        case "\(Self.interface).Why": why(call.parameters)
        case "\(Self.interface).Thermostats": thermostats(call.parameters)
        case "\(Self.interface).Devices": devices(call.parameters)
        default: .error("org.varlink.service.MethodNotFound", "no method \(call.method)")
        }
    }

    private func interfaceDescription(_ call: VarlinkCall) -> VarlinkReply {
        guard call.parameters["interface"]?.string == Self.interface else {
            return .error("org.varlink.service.InterfaceNotFound", "known: \(Self.interface)")
        }
        return .parameters(["description": .string(Self.description)])
    }

    private func why(_ parameters: JSON) -> VarlinkReply {
        switch room(parameters) {
        case .failure(let reply): reply
        case .success(let room):
            .parameters([
                "decisions": .array(
                    (gateway.controlBoard.snapshot.decisions[room] ?? []).map {
                        [
                            "time": .string($0.time.description), "pump": .string($0.pumpOn ? "on" : "off"),
                            "reason": .string($0.reason),
                        ]
                    }),
                "findings": .array(StatusReport(gateway).findings.filter { $0.room == room }.map(\.json)),
            ])
        }
    }

    // MARK: What the recording side knows

    private func ask(_ question: ForwardQuestion, _ parameters: JSON) -> VarlinkOutcome {
        guard let id = gateway.forward.ask(question, parameters) else {
            return .reply(
                .error(
                    "\(Self.interface).JournalUnavailable",
                    "the recording side is not running, or has too many questions; try again"))
        }
        return .asked(.forward(id))
    }

    private func history(_ parameters: JSON) -> VarlinkOutcome {
        let span = parameters["span"]?.string ?? History.Span.day.rawValue
        guard History.Span(rawValue: span) != nil || HourlyHistory.Span(rawValue: span) != nil else {
            return .reply(invalid("span", "must be hour, day, week, month or year"))
        }
        return ask(.history, ["span": .string(span)])
    }

    private func sinceSeconds(_ parameters: JSON, _ question: ForwardQuestion) -> VarlinkOutcome {
        let seconds = parameters["sinceSeconds"]?.int ?? 86_400
        guard seconds > 0, seconds <= 366 * 86_400 else {
            return .reply(invalid("sinceSeconds", "must be between 1 and \(366 * 86400)"))
        }
        return ask(question, ["sinceSeconds": JSON(seconds), "after": parameters["after"] ?? .null])
    }

    private func thermostats(_ parameters: JSON) -> VarlinkReply {
        guard let text = parameters["configuration"]?.string else {
            return .parameters(gateway.snapshot.configuration.thermostats)
        }
        do throws(ConfigurationError) {
            return .parameters(try Configuration(text: text, file: "the configuration", environment: [:]).thermostats)
        } catch {
            return .error("\(Self.interface).InvalidConfiguration", error.description)
        }
    }

    enum RoomOrReply {
        case success(Room)
        case failure(VarlinkReply)
    }

    func room(_ parameters: JSON) -> RoomOrReply {
        let board = gateway.controlBoard.snapshot
        let known = board.remembered.union(board.rooms.keys)
        guard let name = parameters["room"]?.string else { return .failure(invalid("room", "is missing")) }
        if let room = Room(name), known.contains(room) { return .success(room) }
        let said: Sentence =
            nearest(name, among: known.map(\.name)).map {
                .refusal(.noRoomButNear, ["room": .text(name), "near": .text($0)])
            } ?? .refusal(.noRoom, ["room": .text(name)])
        return .failure(.refusal("NoSuchRoom", said))
    }

    func invalid(_ parameter: String, _ problem: String) -> VarlinkReply {
        .error("org.varlink.service.InvalidParameter", "\(parameter) \(problem)")
    }
}
