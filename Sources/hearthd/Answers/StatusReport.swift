import Heating
import MQTT
import Machine

/// Everything about now, gathered from snapshots, as the JSON of `io.hearth.Gateway.Status`: the heating's own boards and
/// what the recording side said last.
struct StatusReport {
    let gateway: Gateway
    let state: Gateway.State
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
            "startedAt": .string(gateway.startedAt.description),
            "uptimeSeconds": seconds(now.nanoseconds - gateway.startedBoot),
            "configurationError": state.configurationError.map { .string($0) } ?? .null,
            "rooms": .array(control.rooms.sorted { $0.key < $1.key }.map { room($0.key, $0.value) }),
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

    private func room(_ room: Room, _ view: ControlBoard.RoomView) -> JSON {
        let status = view.status
        return [
            "room": .string(room.name),
            "temperature": status.lastReading.map { JSON($0) } ?? .null,
            "readingAgeSeconds": status.lastReadingAt.map { seconds((now - $0).wholeNanoseconds) } ?? .null,
            "stale": .bool(status.isStale),
            "pump": .string(status.isOn.map { $0 ? "on" : "off" } ?? "unknown"),
            "pumpSeconds": status.since.map { seconds((now - $0).wholeNanoseconds) } ?? .null,
            "reason": .string(status.reason.description),
            "onBelow": JSON(status.limits.onBelow), "offAbove": JSON(status.limits.offAbove),
            "preset": JSON(status.preset) { .string($0.rawValue) },
            "scheduled": JSON(status.scheduled) { .string($0.rawValue) },
            "hold": status.hold.map {
                [
                    "target": .string($0.target.description), "source": .string($0.source.rawValue),
                    "secondsLeft": seconds(($0.until - now).wholeNanoseconds),
                ]
            } ?? .null,
            "pumpProblem": status.pumpProblem.map { .string($0.description) } ?? .null,
            "discarded": JSON(status.discarded),
            "override": status.override.map {
                [
                    "pump": .string($0.isOn ? "on" : "off"), "source": .string($0.source.rawValue),
                    "secondsLeft": seconds(($0.until - now).wholeNanoseconds),
                ]
            } ?? .null,
            "waitingSeconds": status.waitingUntil.map { seconds(($0 - now).wholeNanoseconds) } ?? .null,
        ]
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
            let detail = forward.ending.map { "the recording side \($0)" } ?? LinkView.waiting
            let record = LinkView(name: "record", peer: state.configuration.local.address, stopped: detail)
            guard state.configuration.isCloudEnabled else { return [control, record] }
            return [
                control, record, LinkView(name: "uplink", peer: state.configuration.cloud.address, stopped: detail),
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
        members.append(("notObeyed", counts(control.counters.rejected)))
        return .object(.init(members))
    }

    private func counts(_ counts: [String: Int]) -> JSON {  // Own names: reasons.
        .object(.init(counts.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }))
    }

    private func seconds(_ nanoseconds: Int64) -> JSON { JSON((Double(nanoseconds) / 1e8).rounded() / 10) }
}
