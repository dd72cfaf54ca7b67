import Heating
import Journal
import MQTT

extension Configuration {
    /// The effective configuration as TOML, defaults and overrides included, the way `--check-config` prints it.
    var text: String {
        var lines = [
            "home = \(quoted(home.name))", "sensor_time_zone = \(quoted(sensorTimeZone))",
            "temperature_unit = \(quoted(temperatureUnit.rawValue))",
        ]
        lines += section("local", broker: local) + section("cloud", broker: cloud, isEnabled: isCloudEnabled)
        lines += [
            "", "[journal]", "path = \(quoted(journal.path))", "max_size = \(journal.maxSize)",
            "when_full = \(quoted(journal.whenFull.rawValue))",
            "commit_interval = \(quoted(short(journal.commitInterval)))",
            "history = \(quoted(short(journal.history)))",
            "", "[uplink]", "confirm = \(quoted(uplink.confirm.rawValue))", "max_rate = \(uplink.maxRate)",
            "", "[thermostat]",
        ]
        lines += keys(of: thermostat) + presets(of: thermostat, below: "")
        for (room, settings) in rooms.merging(unlisted, uniquingKeysWith: { own, _ in own }).sorted(by: {
            $0.key < $1.key
        }) {
            let name = "rooms.\(quoted(room.name))"
            lines += ["", "[\(name)]"] + keys(of: settings) + devices.keys(of: room)
            lines += presets(of: settings, below: "\(name).") + devices.valve(of: room)
        }
        lines += devices.lines
        lines += [
            "", "[control]", "socket = \(quoted(controlSocket))",
            "settings = \(quoted(settingsFile))",
            "forget_after = \(quoted(short(forgetAfter)))",
            "", "[home_assistant]", "discovery = \(homeAssistant.discovery)",
            "prefix = \(quoted(homeAssistant.prefix))",
        ]
        if let page = homeAssistant.page { lines.append("page = \(quoted(page))") }
        lines += [
            "", "[log]", "level = \(quoted(logLevel))",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ name: String, broker: Broker, isEnabled: Bool? = nil) -> [String] {
        var lines = ["", "[\(name)]"]
        if let isEnabled { lines.append("enabled = \(isEnabled)") }
        lines += ["host = \(quoted(broker.host))", "port = \(broker.port)"]
        lines.append("protocol = \(quoted(broker.version.rawValue))")
        if let username = broker.username { lines.append("username = \(quoted(username))") }
        if let file = broker.passwordFile { lines.append("password_file = \(quoted(file))") }
        if let tls = broker.tls {
            lines += ["", "[\(name).tls]", "ca = \(quoted(tls.ca))"]
            if let certificate = tls.certificate { lines.append("cert = \(quoted(certificate))") }
            if let key = tls.key { lines.append("key = \(quoted(key))") }
        }
        return lines
    }

    private func keys(of settings: Thermostat.Settings) -> [String] {
        func shown(_ celsius: Double) -> String { "\(temperatureUnit.number(celsius))" }
        func difference(_ celsius: Double) -> String { "\(temperatureUnit.shown(difference: celsius))" }
        return [
            "enabled = \(settings.enabled)", "authority = \(quoted(settings.authority.rawValue))",
            "mode = \(quoted(settings.mode.rawValue))",
        ] + keys(of: settings.setpoint) + [
            "band = \(difference(settings.band))",
            "discard = [\(settings.discard.map(shown).joined(separator: ", "))]",
            "min_on = \(quoted(short(settings.minOn)))", "min_off = \(quoted(short(settings.minOff)))",
            "refresh = \(quoted(short(settings.refresh)))", "stale_after = \(quoted(short(settings.staleAfter)))",
            "on_stale = \(quoted(settings.onStale.rawValue))", "frost_below = \(shown(settings.frostBelow))",
            // The default depends on the limits, so that a room's is its own.
            (settings.overheatAbove == nil ? "# " : "") + "overheat_above = \(shown(settings.overheatLimit))",
            "override_ttl = \(quoted(short(settings.overrideTTL)))",
            "min_plausible = \(shown(settings.minPlausible))", "max_plausible = \(shown(settings.maxPlausible))",
            "max_change_per_minute = \(difference(settings.maxChangePerMinute))",
            "response_time = \(quoted(short(settings.responseTime)))",
            "schedule = [\(settings.schedule.lines.map(quoted).joined(separator: ", "))]",
        ]
    }

    private func keys(of setpoint: Thermostat.Setpoint) -> [String] {
        switch setpoint {
        case .target(let target): ["target = \(temperatureUnit.number(target))"]
        case .limits(let low, let high):
            ["on_below = \(temperatureUnit.number(low))", "off_above = \(temperatureUnit.number(high))"]
        }
    }

    private func presets(of settings: Thermostat.Settings, below prefix: String) -> [String] {
        settings.presets.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { preset, setpoint in
            ["", "[\(prefix)presets.\(preset.rawValue)]"] + keys(of: setpoint)
        }
    }

    /// A TOML basic string; JSON's escapes are a subset of TOML's, which wants U+007F escaped as well.
    private func quoted(_ text: String) -> String {
        JSON.string(text).serialized().split(separator: "\u{7f}", omittingEmptySubsequences: false)
            .joined(separator: "\\u007f")
    }

    private func short(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? "\(seconds)s" : "\(seconds)s\(milliseconds)ms"
    }
}
