import GatewayClient
import Heating
import Prometheus

/// The gateway's numbers for Prometheus, from its latest status. Documented in cloud/METRICS.md. Rooms are a label:
/// hearthd bounds their number.
func gatewaySamples(_ latest: StatusBoard.Latest, now: ContinuousClock.Instant) -> [MetricSample] {
    let silence = latest.heardAt.map {
        gauge("hearth_gateway_answer_age_seconds", "Since hearthd answered last.", age(since: $0, now: now))
    }
    guard case .status(let json, _) = latest else {
        return [gauge("hearth_gateway_up", "1 while hearthd answers.", 0)] + [silence].compactMap { $0 }
    }
    let status = Status(json)
    return [gauge("hearth_gateway_up", "1 while hearthd answers.", 1)] + [silence].compactMap { $0 }
        + aboutGateway(status) + aboutRecording(status) + status.rooms.flatMap { aboutRoom($0, status.temperatureUnit) }
        + aboutLinks(status)
        + aboutBuffer(status)
}

private func gauge(
    _ name: String, _ help: String, _ value: Double, _ labels: [(name: String, value: String)] = []
) -> MetricSample {
    MetricSample(name: name, help: help, kind: .gauge, labels: labels, value: value)
}

private func counter(
    _ name: String, _ help: String, _ value: Int64?, _ labels: [(name: String, value: String)] = []
) -> MetricSample? {
    value.map { MetricSample(name: name, help: help, kind: .counter, labels: labels, value: Double($0)) }
}

private func aboutGateway(_ status: Status) -> [MetricSample] {
    let counters = status.counters
    let totals = [
        counter(
            "hearth_readings_received_total", "Readings that control took, since hearthd started.", counters.readings),
        counter("hearth_readings_recorded_total", "Readings and commands made durable.", counters.recorded),
        counter("hearth_readings_duplicate_total", "Readings that the broker delivered again.", counters.duplicates),
        counter(
            "hearth_readings_same_time_total", "Different readings of a room with the same time, each kept.",
            counters.sameTime),
        counter("hearth_pump_commands_total", "Commands given to heat pumps, repetitions included.", counters.commands),
    ]
    let info = gauge(
        "hearth_build_info", "Always 1; which version this is.", 1,
        [("version", status.version ?? "unknown"), ("home", status.home ?? "unknown")])
    let uptime = status.uptimeSeconds.map { gauge("hearth_uptime_seconds", "Since hearthd started.", $0) }
    let rejected = counters.rejected.compactMap {
        counter(
            "hearth_readings_discarded_total", "Messages that were set aside, by reason.", $0.count,
            [("reason", $0.reason)])
    }
    // Counted per name: two rooms without readings are two alarms of one name.
    let alarms = Dictionary(grouping: status.alarms, by: \.name).sorted { $0.key < $1.key }.map {
        gauge("hearth_alarms", "What a person should look at, by kind.", Double($0.value.count), [("name", $0.key)])
    }
    let configuration = gauge(
        "hearth_configuration_rejected", "1 while the last reload was refused.",
        status.configurationError == nil ? 0 : 1)
    return [info] + [uptime].compactMap { $0 } + totals.compactMap { $0 } + rejected + [configuration] + alarms
}

/// The process that records and forwards is one of its own.
private func aboutRecording(_ status: Status) -> [MetricSample] {
    guard let recording = status.recording else { return [] }
    return [
        gauge(
            "hearth_recording_up", "1 while the process that records and forwards answers.", recording.isAway ? 0 : 1),
        counter("hearth_recording_restarts_total", "How often it was started again.", recording.restarts),
    ].compactMap { $0 }
}

private func aboutRoom(_ room: RoomStatus, _ unit: TemperatureUnit) -> [MetricSample] {
    let labels = [(name: "room", value: room.name)]
    var samples = [
        gauge(
            "hearth_control_safe_state", "1 while the room is blind: its readings have stopped.", room.isStale ? 1 : 0,
            labels),
        gauge(
            "hearth_override_active", "1 while a person or the cloud has switched the pump.",
            room.override == nil ? 0 : 1, labels),
    ]
    if let value = room.temperature {
        samples.append(gauge("hearth_room_temperature_celsius", "The latest reading.", unit.celsius(value), labels))
    }
    if let value = room.readingAgeSeconds {
        samples.append(gauge("hearth_room_reading_age_seconds", "Since the latest reading.", value, labels))
    }
    if let isOn = room.isPumpOn {
        samples.append(gauge("hearth_heat_on", "1 while the heat pump is told to run.", isOn ? 1 : 0, labels))
    }
    if let value = room.onBelow {
        samples.append(
            gauge("hearth_room_on_below_celsius", "Strictly below, the pump starts.", unit.celsius(value), labels))
    }
    if let value = room.offAbove {
        samples.append(
            gauge("hearth_room_off_above_celsius", "Strictly above, the pump stops.", unit.celsius(value), labels))
    }
    return samples
}

private func aboutLinks(_ status: Status) -> [MetricSample] {
    var samples = status.links.map { link in
        gauge(
            "hearth_link_connected", "1 while a lane is connected to its broker.", link.state == .connected ? 1 : 0,
            [("link", link.name)])
    }
    if let uplink = status.links.first(where: { $0.name == "uplink" }) {
        samples.append(
            gauge(
                "hearth_cloud_connected", "1 while connected to the cloud broker.",
                uplink.state == .connected ? 1 : 0))
    }
    return samples
}

private func aboutBuffer(_ status: Status) -> [MetricSample] {
    var samples: [MetricSample?] = []
    if let uplink = status.uplink {
        samples += [
            uplink.backlog.map { gauge("hearth_buffer_rows", "Records the cloud has not confirmed.", Double($0)) },
            uplink.oldestSeconds.map {
                gauge("hearth_buffer_oldest_age_seconds", "Age of the oldest of them.", $0)
            },
            uplink.ratePerSecond.map {
                gauge("hearth_forward_rate", "Confirmed records per second, over ten seconds.", $0)
            },
            uplink.confirmedThrough.map {
                gauge("hearth_receipt_seq", "Every sequence up to this one is confirmed.", Double($0))
            },
            counter("hearth_resent_total", "Records that were sent to the cloud again.", uplink.resent),
        ]
    }
    if let journal = status.journal {
        samples += [
            counter("hearth_journal_sequence_total", "Sequences given out since the journal was made.", journal.newest),
            journal.usedBytes.map { gauge("hearth_buffer_bytes", "What the journal's rows take.", Double($0)) },
            journal.maxBytes.map { gauge("hearth_buffer_limit_bytes", "What they may take.", Double($0)) },
            counter(
                "hearth_buffer_dropped_total", "Unconfirmed records that were dropped.", journal.dropped,
                [("reason", "journal_full")]),
            counter("hearth_buffer_quarantined_total", "Damaged rows of the journal.", journal.quarantined),
            counter("hearth_commits_total", "Transactions made durable, an fsync each.", journal.commits),
            journal.lastCommitMilliseconds.map {
                gauge("hearth_commit_last_duration_seconds", "How long the last commit took.", $0 / 1000)
            },
            gauge("hearth_journal_failing", "1 while the journal reports an error.", journal.lastError == nil ? 0 : 1),
        ]
    }
    if let disk = status.disk {
        samples += [
            disk.freeBytes.map { gauge("hearth_disk_free_bytes", "Free on the journal's file system.", Double($0)) },
            disk.totalBytes.map { gauge("hearth_disk_size_bytes", "Size of that file system.", Double($0)) },
        ]
    }
    return samples.compactMap { $0 }
}
