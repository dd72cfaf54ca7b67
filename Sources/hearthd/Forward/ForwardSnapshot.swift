import Heating
import Journal
import MQTT
import Machine

/// Everything about the recording and forwarding side as it is now, gathered in the child from its boards.
struct ForwardSnapshot {
    let state: Forwarder.State
    let uplink: UplinkBoard.Contents
    let record: RecordLane.Counters
    let journal: JournalStatus?
    let files: FileWatch.Contents
    let laneFindings: [Finding]
    let now: Instant
    let wall: Timestamp

    init(_ forwarder: Forwarder) {
        state = forwarder.snapshot
        uplink = forwarder.uplinkBoard.snapshot
        record = forwarder.recordCounters.snapshot
        journal = state.journal?.status
        files = forwarder.files.snapshot
        laneFindings = forwarder.findings.snapshot
        now = Clock.now
        wall = Clock.wall
    }

    /// What ``ForwardReport`` reads.
    var json: JSON {
        [
            "links": .array(links.map(\.json)),
            "uplink": uplinkJSON,
            "backlog": JSON(backlog),
            "journal": journal.map(journalJSON) ?? .null,
            "disk": files.disk.map { ["freeBytes": JSON($0.free), "totalBytes": JSON($0.total)] } ?? .null,
            "counters": [
                "recorded": JSON(record.recorded), "duplicates": JSON(record.duplicates),
                "sameTime": JSON(record.sameTime), "passedOver": JSON(record.passedOver),
                "retained": JSON(record.retained), "foreign": JSON(uplink.foreign),
                "rejected": counts(record.rejected.mapValues { Int64($0) }),
            ],
            "findings": .array(findings.map(\.json)),
            "checks": .array(checks.map(\.json)),
            "stillSeconds": seconds(still),
        ]
    }

    var journalDetails: JSON {
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

    /// Whether the disk has not answered for half a second.
    var isStuck: Bool { journal?.busySince.map { now.nanoseconds - $0 > 500_000_000 } ?? false }

    /// How long the lane that has turned least lately has not. One that is connecting may sit in name resolution, which no
    /// deadline of ours can cut short; that is the network's state and not a hang.
    private var still: Int64 {
        [state.record, state.uplink].compactMap { connection -> Int64? in
            guard let connection, connection.progress != 0, !connection.isConnecting else { return nil }
            return now.nanoseconds - connection.progress
        }.max() ?? 0
    }

    // MARK: Links

    var links: [LinkView] {
        let record = LinkView("record", state.configuration.local.address, state.record, now)
        guard state.configuration.isCloudEnabled else { return [record] }
        return [record, LinkView("uplink", state.configuration.cloud.address, state.uplink, now)]
    }

    // MARK: Uplink and journal

    /// Records the cloud has not confirmed. The lane may sit in the resolver: what came since it looked is added.
    var backlog: Int64 {
        guard let journal, state.configuration.isCloudEnabled else { return 0 }
        return uplink.newest == 0
            ? journal.unconfirmedRows : uplink.backlog + max(0, journal.newest - uplink.newest)
    }

    private var uplinkJSON: JSON {
        let rate = uplink.ratePerSecond
        return [
            "confirm": .string(state.configuration.uplink.confirm.rawValue),
            "enabled": .bool(state.configuration.isCloudEnabled),
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

    private func counts(_ counts: [String: Int64]) -> JSON {
        .object(.init(counts.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON($0.value)) }))
    }

    private func seconds(_ nanoseconds: Int64) -> JSON { JSON((Double(nanoseconds) / 1e8).rounded() / 10) }
}
