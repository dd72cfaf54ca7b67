import Heating
import MQTT
import Machine

/// Everything about now, gathered from snapshots, as the JSON of `io.hearth.Gateway.Status`: the heating's own boards and
/// what the recording side said last.
struct StatusReport {
    let gateway: Gateway
    let state: HouseSettings.State
    let control: ControlBoard.Contents
    let forward: ForwardProcess.View
    let now: Instant
    let wall: Timestamp

    init(_ gateway: Gateway) {
        self.gateway = gateway
        state = gateway.snapshot
        control = gateway.controlBoard.snapshot
        forward = gateway.forward.view
        now = Clock.now
        wall = Clock.wall
    }

    var json: JSON {
        [
            "version": .string(Version.current),
            "home": .string(state.configuration.home.name),
            "temperatureUnit": .string(unit.rawValue),
            "startedAt": .string(gateway.startedAt.description),
            "uptimeSeconds": seconds(now.nanoseconds - gateway.startedBoot),
            "configurationError": state.configurationError.map { .string($0) } ?? .null,
            "rooms": .array(orderedRooms.map { room($0.key, $0.value) }),
            "measures": .array(control.measures.inOrder.map(measure)),
            "links": .array(links.map(\.json)),
            "uplink": forward.report.uplink,
            "journal": forward.report.journal,
            "disk": forward.report.disk,
            "recording": recording,
            "counters": counters,
            "alarms": .array(findings.map(\.json)),
        ]
    }

    // MARK: Rooms

    /// Those that people gave a place come first.
    private var orderedRooms: [(key: Room, value: ControlBoard.RoomView)] {
        let order = state.configuration.order
        return control.rooms.sorted { (order[$0.key] ?? .max, $0.key) < (order[$1.key] ?? .max, $1.key) }
    }

    private var unit: TemperatureUnit { state.configuration.temperatureUnit }

    private func room(_ room: Room, _ view: ControlBoard.RoomView) -> JSON {
        let status = view.status
        func number(_ celsius: Double) -> JSON { JSON(unit.number(celsius)) }
        let members: [(key: String, value: JSON)] = [
            ("room", .string(room.name)),
            ("name", .string(state.configuration.name(of: room))),
            ("order", JSON(state.configuration.order[room]) { JSON($0) }),
            ("temperature", JSON(status.lastReading) { number($0) }),
            ("readingAgeSeconds", status.lastReadingAt.map { seconds((now - $0).wholeNanoseconds) } ?? .null),
            ("stale", .bool(status.isStale)),
            ("pump", .string(status.isOn.map { $0 ? "on" : "off" } ?? "unknown")),
            ("pumpSeconds", status.since.map { seconds((now - $0).wholeNanoseconds) } ?? .null),
            ("reason", .string(status.reason.text(in: unit))),
            ("mode", .string(status.mode.rawValue)),
            ("target", JSON(status.target) { number($0) }),
            ("onBelow", number(status.limits.onBelow)), ("offAbove", number(status.limits.offAbove)),
            ("preset", JSON(status.preset) { .string($0.rawValue) }),
            ("scheduled", JSON(status.scheduled) { .string($0.rawValue) }),
            ("hold", JSON(status.hold) { hold($0) }),
            ("pumpProblem", JSON(status.pumpProblem) { .string($0.text(in: unit)) }),
            ("discarded", JSON(status.discarded)),
            ("override", JSON(status.override) { override($0) }),
            ("device", JSON(control.devices[room]) { $0.pump.json }),
            ("valve", JSON(control.devices[room]?.valve) { $0.json }),
            ("waitingSeconds", status.waitingUntil.map { seconds(($0 - now).wholeNanoseconds) } ?? .null),
            ("waiting", JSON(waiting(status)) { .string($0.text) }),
            (
                "say",
                [
                    "reason": status.reason.sentence(in: unit).json, "waiting": JSON(waiting(status)) { $0.json },
                    "pumpProblem": JSON(status.pumpProblem) { $0.sentence(in: unit).json },
                ]
            ),
        ]
        return .object(.init(members))
    }

    /// Without `secondsLeft`: until it is changed.
    private func hold(_ hold: Thermostat.Hold) -> JSON {
        let target: String
        switch hold.target {
        case .preset(let preset): target = preset.rawValue
        case .temperature(let celsius): target = "\(unit.number(celsius))"
        }
        return [
            "target": .string(target), "source": .string(hold.source.rawValue),
            "secondsLeft": hold.until.map { seconds(($0 - now).wholeNanoseconds) } ?? .null,
        ]
    }

    private func override(_ override: Thermostat.Override) -> JSON {
        [
            "pump": .string(override.isOn ? "on" : "off"), "source": .string(override.source.rawValue),
            "secondsLeft": seconds((override.until - now).wholeNanoseconds),
        ]
    }

    /// "starts in 3 min: the pump rests at least 5 min".
    private func waiting(_ status: Thermostat.Status) -> Sentence? {
        guard let waiting = status.waiting, let until = status.waitingUntil else { return nil }
        return waiting.sentence(left: .seconds(max(1, ((until - now).wholeNanoseconds + 999_999_999) / 1_000_000_000)))
    }

    private func measure(_ room: Room, _ measure: Measure, _ seen: SeenMeasures.Value) -> JSON {
        [
            "room": .string(room.name), "measure": .string(measure.name), "value": JSON(seen.value),
            "unit": .string(measure.unit), "ageSeconds": seconds((now - seen.at).wholeNanoseconds),
        ]
    }

    // MARK: The recording side

    var links: [LinkView] {
        let control = LinkView("control", state.configuration.local.address, gateway.control, now)
        guard forward.pid != nil, !forward.report.links.isEmpty else {
            let said =
                forward.ending.map { Sentence(LinkSentence.recordingSide, ["ending": .text($0)]) } ?? LinkView.waiting
            let record = LinkView(name: "record", peer: state.configuration.local.address, stopped: said)
            guard state.configuration.isCloudEnabled else { return [control, record] }
            return [
                control, record, LinkView(name: "uplink", peer: state.configuration.cloud.address, stopped: said),
            ]
        }
        return [control] + forward.report.links
    }

    private var recording: JSON {
        [
            "pid": forward.pid.map { JSON($0) } ?? .null,
            "restarts": JSON(forward.restarts),
            "seconds": seconds((now - forward.since).wholeNanoseconds),
            "silentSeconds": forward.heardAt.map { seconds((now - $0).wholeNanoseconds) } ?? .null,
            "lastEnd": forward.ending.map { .string($0) } ?? .null,
        ]
    }

    // MARK: Counters

    private var counters: JSON {
        let record = forward.counters
        let retained = (record["retained"]?.int ?? 0) + Int64(control.counters.retained)
        var members: [(key: String, value: JSON)] = [
            ("readings", JSON(control.counters.readings)), ("commands", JSON(control.counters.commands)),
            ("retained", JSON(retained)),
        ]
        for name in ["recorded", "duplicates", "sameTime", "foreign"] {
            members.append((name, record[name] ?? JSON(0)))
        }
        if let passedOver = record["passedOver"], passedOver.int != 0 { members.append(("passedOver", passedOver)) }
        var rejected = record["rejected"]?.object ?? .init()
        if control.counters.tooManyRooms > 0 { rejected["too_many_rooms"] = JSON(control.counters.tooManyRooms) }
        members.append(("rejected", .object(rejected)))
        members.append(("ignored", counts(control.counters.ignored)))
        members.append(("replacedTimes", counts(control.counters.replacedTimes)))
        members.append(("notObeyed", counts(control.counters.rejected)))
        return .object(.init(members))
    }

    private func counts(_ counts: [String: Int]) -> JSON {  // Own names: reasons.
        .object(.init(counts.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }))
    }

    private func seconds(_ nanoseconds: Int64) -> JSON { JSON((Double(nanoseconds) / 1e8).rounded() / 10) }
}
