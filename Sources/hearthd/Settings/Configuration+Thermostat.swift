import Heating

/// The `[thermostat]` section, and the same keys for one room.
extension ConfigurationReader {
    private static let day = Duration.zero ... .seconds(7 * 86400)
    /// What any unit could mean; which limits make sense the plausible range says.
    private static let degrees = -300.0...1000.0

    /// - Parameters:
    ///   - path: `["thermostat"]`, or `["rooms", name]`.
    ///   - base: what holds where nothing is written.
    mutating func thermostat(_ path: [String], base: Thermostat.Settings) -> Thermostat.Settings {
        var settings = base
        settings.enabled = bool(path + ["enabled"]) ?? base.enabled
        settings.authority = oneOf(path + ["authority"], Thermostat.Authority.self) ?? base.authority
        settings.onBelow = number(path + ["on_below"], in: Self.degrees) ?? base.onBelow
        settings.offAbove = number(path + ["off_above"], in: Self.degrees) ?? base.offAbove
        settings.minOn = duration(path + ["min_on"], in: Self.day) ?? base.minOn
        settings.minOff = duration(path + ["min_off"], in: Self.day) ?? base.minOff
        settings.refresh = duration(path + ["refresh"], in: .seconds(1) ... .seconds(86400)) ?? base.refresh
        settings.frostBelow = number(path + ["frost_below"], in: Self.degrees) ?? base.frostBelow
        settings.overheatAbove = number(path + ["overheat_above"], in: Self.degrees) ?? base.overheatAbove
        settings.overrideTTL =
            duration(path + ["override_ttl"], in: .seconds(1) ... .seconds(7 * 86400)) ?? base.overrideTTL
        readSensorRules(path, base, &settings)
        readWeek(path, base, &settings)
        for problem in settings.problems {
            let key = problem.prefix { $0 != " " }
            let names = key.split(separator: ".").map(String.init)
            let place = names.first == "presets" ? Self.presetsPath(path) + names.dropFirst() : path + names
            report(place, String(problem.dropFirst(key.count + 1)))
        }
        return settings
    }

    /// Which readings to believe, and when a sensor or a pump counts as broken.
    private mutating func readSensorRules(
        _ path: [String], _ base: Thermostat.Settings, _ settings: inout Thermostat.Settings
    ) {
        settings.discard = numbers(path + ["discard"]) ?? base.discard
        settings.minPlausible = number(path + ["min_plausible"], in: -300...1000) ?? base.minPlausible
        settings.maxPlausible = number(path + ["max_plausible"], in: -300...1000) ?? base.maxPlausible
        settings.maxChangePerMinute =
            number(path + ["max_change_per_minute"], in: 0...1000) ?? base.maxChangePerMinute
        settings.staleAfter =
            duration(path + ["stale_after"], in: .seconds(1) ... .seconds(7 * 86400)) ?? base.staleAfter
        settings.onStale = oneOf(path + ["on_stale"], Thermostat.OnStale.self) ?? base.onStale
        settings.responseTime = duration(path + ["response_time"], in: Self.day) ?? base.responseTime
    }

    private mutating func readWeek(
        _ path: [String], _ base: Thermostat.Settings, _ settings: inout Thermostat.Settings
    ) {
        if let lines = strings(path + ["schedule"]) {
            do throws(Schedule.SyntaxError) {
                settings.schedule = try Schedule(lines)
            } catch {
                report(path + ["schedule"], "\"\(error.line)\": \(error.problem)")
            }
        }
        for preset in Preset.allCases {
            let place = Self.presetsPath(path) + [preset.rawValue]
            let low = number(place + ["on_below"], in: Self.degrees)
            let high = number(place + ["off_above"], in: Self.degrees)
            guard low != nil || high != nil else { continue }
            let limits = base.presets[preset] ?? settings.limits(of: preset)
            settings.presets[preset] = .init(onBelow: low ?? limits.onBelow, offAbove: high ?? limits.offAbove)
        }
    }

    /// The house's presets are a section of their own, a room's are in the room's.
    private static func presetsPath(_ path: [String]) -> [String] {
        (path.first == "rooms" ? path : []) + ["presets"]
    }
}
