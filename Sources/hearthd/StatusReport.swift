import Glibc
import Heating
import Journal
import MQTT

/// Everything about now, gathered from snapshots, as the JSON of `io.hearth.Gateway.Status`.
struct StatusReport {
    let gateway: Gateway
    let state: Gateway.State
    let control: ControlBoard.Contents
    let uplink: UplinkBoard.Contents
    let record: RecordLane.Counters
    let journal: JournalStatus?
    let certificates: [CertificateWatch.End]
    let now: Instant
    let wall: Timestamp

    init(_ gateway: Gateway) {
        self.gateway = gateway
        state = gateway.snapshot
        control = gateway.controlBoard.snapshot
        uplink = gateway.uplinkBoard.snapshot
        record = gateway.recordCounters.snapshot
        journal = state.journal?.status
        certificates = gateway.certificates.snapshot
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
            "links": .array(links.map(\.json)),
            "uplink": uplinkJSON,
            "journal": journal.map(journalJSON) ?? .null,
            "disk": disk.map { ["freeBytes": JSON($0.free), "totalBytes": JSON($0.total)] } ?? .null,
            "counters": counters,
            "alarms": .array(findings.map(\.json)),
        ]
    }

    var journalDetails: JSON {
        // A frozen disk must not freeze this socket too.
        let isStuck = journal?.busySince.map { now.nanoseconds - $0 > 500_000_000 } ?? false
        let setAside = isStuck ? [] : (try? state.journal?.setAside(limit: 20)) ?? []
        return [
            "journal": journal.map(journalJSON) ?? .null,
            "lowWatermark": journal.map { JSON($0.lowWatermark) } ?? .null,
            "oldestUnconfirmedSeconds": oldestSeconds,
            "setAside": .array(
                setAside.map {
                    [
                        "topic": .string($0.topic), "reason": .string($0.reason),
                        "payload": .string(String(String(decoding: $0.payload, as: UTF8.self).prefix(200))),
                        "ageSeconds": seconds(wall.nanoseconds - $0.receivedAt),
                    ]
                }),
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

    // MARK: Links

    struct LinkView {
        static let waiting = "waiting for the journal"

        var name: String
        var peer: String
        /// What is going on, or what went wrong last.
        var detail: String
        var json: JSON
        var isConnected: Bool
    }

    var links: [LinkView] {
        let local = state.configuration.local.address
        let cloud = state.configuration.cloud.address
        return [
            link("control", local, gateway.control), link("record", local, state.record),
            link("uplink", cloud, state.uplink),
        ]
    }

    private func link(_ name: String, _ peer: String, _ connection: Connection?) -> LinkView {
        let description = LinkDescription(connection?.state ?? .idle, now: now.nanoseconds)
        let detail = connection == nil ? LinkView.waiting : description.detail
        return LinkView(
            name: name, peer: peer, detail: detail,
            json: [
                "name": .string(name), "peer": .string(peer), "state": .string(description.state),
                "seconds": seconds(description.nanoseconds),
                "protocol": description.protocolName.map { .string($0) } ?? .null,
                "detail": .string(detail),
            ],
            isConnected: description.state == "connected")
    }

    // MARK: Uplink and journal

    /// Records the cloud has not confirmed. The lane may sit in the resolver: what came since it looked is added.
    var backlog: Int64 {
        guard let journal else { return 0 }
        return uplink.newest == 0
            ? journal.unconfirmedRows : uplink.backlog + max(0, journal.newest - uplink.newest)
    }

    private var uplinkJSON: JSON {
        let rate = uplink.ratePerSecond
        return [
            "confirm": .string(state.configuration.uplink.confirm.rawValue),
            "backlog": JSON(backlog),
            "oldestSeconds": oldestSeconds,
            "ratePerSecond": JSON((rate * 10).rounded() / 10),
            "secondsToDrain": backlog > 0 && rate > 0 ? JSON((Double(backlog) / rate).rounded(.up)) : .null,
            "inFlight": JSON(uplink.inFlight),
            "confirmedThrough": JSON(uplink.confirmedThrough),
            "resent": JSON(uplink.resent),
        ]
    }

    private var oldestSeconds: JSON {
        journal?.oldestUnconfirmedAt.map { seconds(max(0, wall.nanoseconds - $0)) } ?? .null
    }

    private func journalJSON(_ status: JournalStatus) -> JSON {
        [
            "path": .string(status.path), "epoch": .string(status.epoch), "newest": JSON(status.newest),
            "firstKept": JSON(status.firstKept), "usedBytes": JSON(status.usedBytes),
            "fileBytes": JSON(status.fileBytes), "walBytes": JSON(status.walBytes), "maxBytes": JSON(status.maxBytes),
            "dropped": JSON(status.dropped), "quarantined": JSON(status.quarantined),
            "setAside": counts(status.setAside), "commits": JSON(status.commits),
            "lastCommitMilliseconds": JSON((Double(status.commitNanosecondsLast) / 1e4).rounded() / 100),
            "lastError": status.lastError.map { .string($0) } ?? .null,
        ]
    }

    /// Space on the journal's file system.
    var disk: (free: Int64, total: Int64)? {
        var space = statvfs()
        let directory = state.configuration.journal.path.split(separator: "/").dropLast().joined(separator: "/")
        guard statvfs("/" + directory, &space) == 0 else { return nil }
        let block = Int64(space.f_frsize)
        return (Int64(space.f_bavail) * block, Int64(space.f_blocks) * block)
    }

    // MARK: Counters

    private var counters: JSON {
        [
            "readings": JSON(control.counters.readings), "recorded": JSON(record.recorded),
            "duplicates": JSON(record.duplicates), "retained": JSON(control.counters.retained + record.retained),
            "rejected": counts(rejected), "ignored": counts(control.counters.ignored.mapValues { Int64($0) }),
            "commands": JSON(control.counters.commands),
            "foreign": JSON(uplink.foreign),
        ]
    }

    /// By Record, which sees every message; and what only Control knows.
    private var rejected: [String: Int64] {
        var rejected = record.rejected.mapValues { Int64($0) }
        if control.counters.tooManyRooms > 0 { rejected["too_many_rooms"] = Int64(control.counters.tooManyRooms) }
        return rejected
    }

    private func counts(_ counts: [String: Int64]) -> JSON {
        .object(.init(counts.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }))
    }

    private func seconds(_ nanoseconds: Int64) -> JSON { JSON((Double(nanoseconds) / 1e8).rounded() / 10) }
}
