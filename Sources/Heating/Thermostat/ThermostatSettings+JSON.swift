extension Thermostat.Settings {
    /// All settings by their names in the configuration, times in seconds: for programs that ask the daemon.
    public var json: JSON {
        func seconds(_ duration: Duration) -> JSON { JSON(Double(duration.wholeNanoseconds) / 1e9) }
        func setpoint(_ setpoint: Thermostat.Setpoint) -> JSON {
            switch setpoint {
            case .limits(let low, let high): ["on_below": JSON(low), "off_above": JSON(high)]
            case .target(let target): ["target": JSON(target)]
            }
        }
        return [
            "enabled": .bool(enabled), "authority": .string(authority.rawValue), "on_below": JSON(onBelow),
            "off_above": JSON(offAbove), "target": JSON(target) { JSON($0) }, "band": JSON(band),
            "mode": .string(mode.rawValue), "discard": .array(discard.map { JSON($0) }),
            "min_plausible": JSON(minPlausible),
            "max_plausible": JSON(maxPlausible), "max_change_per_minute": JSON(maxChangePerMinute),
            "min_on": seconds(minOn), "min_off": seconds(minOff), "refresh": seconds(refresh),
            "stale_after": seconds(staleAfter), "on_stale": .string(onStale.rawValue), "frost_below": JSON(frostBelow),
            "overheat_above": JSON(overheatAbove) { JSON($0) },
            "override_ttl": seconds(overrideTTL), "response_time": seconds(responseTime),
            "schedule": .array(schedule.lines.map { .string($0) }),
            "presets": .object(
                .init(
                    presets.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.rawValue, setpoint($0.value)) })),
        ]
    }

    /// What ``json`` says; nil for anything else, also for values out of range.
    public init?(json: JSON) {
        self.init()
        func number(_ key: String, _ place: WritableKeyPath<Self, Double>) -> Bool {
            guard let value = json[key]?.double else { return false }
            self[keyPath: place] = value
            return true
        }
        func time(_ key: String, _ place: WritableKeyPath<Self, Duration>) -> Bool {
            guard let value = json[key]?.double, (0...1e9).contains(value) else { return false }
            self[keyPath: place] = .nanoseconds(Int64(value * 1e9))
            return true
        }
        guard let isEnabled = json["enabled"]?.bool,
            let authority = json["authority"]?.string.flatMap(Thermostat.Authority.init(rawValue:)),
            let onStale = json["on_stale"]?.string.flatMap(Thermostat.OnStale.init(rawValue:)),
            let discard = json["discard"]?.array?.compactMap(\.double),
            let lines = json["schedule"]?.array?.compactMap(\.string), let schedule = try? Schedule(lines),
            number("on_below", \.onBelow), number("off_above", \.offAbove), number("min_plausible", \.minPlausible),
            number("max_plausible", \.maxPlausible), number("max_change_per_minute", \.maxChangePerMinute),
            number("frost_below", \.frostBelow), time("min_on", \.minOn), time("min_off", \.minOff),
            time("refresh", \.refresh), time("stale_after", \.staleAfter), time("override_ttl", \.overrideTTL),
            time("response_time", \.responseTime)
        else { return nil }
        (enabled, self.authority, self.onStale, self.discard, self.schedule) = (
            isEnabled, authority, onStale, discard, schedule
        )
        overheatAbove = json["overheat_above"]?.double
        target = json["target"]?.double
        band = json["band"]?.double ?? band
        mode = json["mode"]?.string.flatMap(Thermostat.Mode.init(rawValue:)) ?? mode
        for (name, value) in json["presets"]?.object?.members ?? [] {
            guard let preset = Preset(rawValue: name) else { return nil }
            if let target = value["target"]?.double {
                presets[preset] = .target(target)
            } else if let low = value["on_below"]?.double, let high = value["off_above"]?.double {
                presets[preset] = .limits(onBelow: low, offAbove: high)
            } else {
                return nil
            }
        }
        guard problems.isEmpty else { return nil }
    }
}
