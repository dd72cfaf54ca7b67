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
        settings.mode = oneOf(path + ["mode"], Thermostat.Mode.self) ?? base.mode
        readSetpoint(path, base, &settings)
        settings.minOn = duration(path + ["min_on"], in: Self.day) ?? base.minOn
        settings.minOff = duration(path + ["min_off"], in: Self.day) ?? base.minOff
        settings.refresh = duration(path + ["refresh"], in: .seconds(1) ... .seconds(86400)) ?? base.refresh
        settings.frostBelow = temperature(path + ["frost_below"]) ?? base.frostBelow
        settings.overheatAbove = temperature(path + ["overheat_above"]) ?? base.overheatAbove
        settings.overrideTTL =
            duration(path + ["override_ttl"], in: .seconds(1) ... .seconds(7 * 86400)) ?? base.overrideTTL
        readSensorRules(path, base, &settings)
        readWeek(path, base, &settings)
        for problem in settings.problems(in: unit).map(\.text) {
            let key = problem.prefix { $0 != " " }
            let names = key.split(separator: ".").map(String.init)
            let place = names.first == "presets" ? Self.presetsPath(path) + names.dropFirst() : path + names
            report(place, String(problem.dropFirst(key.count + 1)))
        }
        return settings
    }

    /// A temperature in the unit of the house; as °C.
    mutating func temperature(_ path: [String]) -> Double? {
        number(path, in: Self.degrees).map { unit.celsius($0) }
    }

    /// Limits, or a target with its band. What a room says of one replaces what the house says of the other.
    private mutating func readSetpoint(
        _ path: [String], _ base: Thermostat.Settings, _ settings: inout Thermostat.Settings
    ) {
        let (low, high) = (temperature(path + ["on_below"]), temperature(path + ["off_above"]))
        let target = temperature(path + ["target"])
        settings.onBelow = low ?? base.onBelow
        settings.offAbove = high ?? base.offAbove
        settings.target = target ?? (low == nil && high == nil ? base.target : nil)
        settings.band =
            number(path + ["band"], in: 0...100).map { unit.celsius(difference: $0) } ?? base.band
        if target != nil, low != nil || high != nil { reportTwoSetpoints(path) }
    }

    private mutating func reportTwoSetpoints(_ path: [String]) {
        report(path + ["target"], "stands beside on_below or off_above: write the one or the others")
    }

    /// Which readings to believe, and when a sensor or a pump counts as broken.
    private mutating func readSensorRules(
        _ path: [String], _ base: Thermostat.Settings, _ settings: inout Thermostat.Settings
    ) {
        settings.discard = numbers(path + ["discard"])?.map { unit.celsius($0) } ?? base.discard
        settings.minPlausible = temperature(path + ["min_plausible"]) ?? base.minPlausible
        settings.maxPlausible = temperature(path + ["max_plausible"]) ?? base.maxPlausible
        settings.maxChangePerMinute =
            number(path + ["max_change_per_minute"], in: 0...1000).map { unit.celsius(difference: $0) }
            ?? base.maxChangePerMinute
        settings.staleAfter =
            duration(path + ["stale_after"], in: .seconds(1) ... .seconds(7 * 86400)) ?? base.staleAfter
        settings.onStale = oneOf(path + ["on_stale"], Thermostat.OnStale.self) ?? base.onStale
        settings.responseTime = duration(path + ["response_time"], in: Self.day) ?? base.responseTime
    }

    /// Reports every line that is no change of a week.
    mutating func schedule(_ path: [String]) -> Schedule? {
        guard let lines = strings(path) else { return nil }
        do throws(Schedule.SyntaxErrors) {
            return try Schedule(lines)
        } catch {
            for error in error.errors { report(path, error.sentence.text) }
            return nil
        }
    }

    private mutating func readWeek(
        _ path: [String], _ base: Thermostat.Settings, _ settings: inout Thermostat.Settings
    ) {
        settings.schedule = schedule(path + ["schedule"]) ?? base.schedule
        for preset in Preset.allCases {
            let place = Self.presetsPath(path) + [preset.rawValue]
            let (low, high) = (temperature(place + ["on_below"]), temperature(place + ["off_above"]))
            let target = temperature(place + ["target"])
            if target != nil, low != nil || high != nil { reportTwoSetpoints(place) }
            if let target {
                settings.presets[preset] = .target(target)
            } else if low != nil || high != nil {
                let limits = settings.limits(of: base.presets[preset] ?? settings.setpoint(of: preset))
                settings.presets[preset] = .limits(onBelow: low ?? limits.onBelow, offAbove: high ?? limits.offAbove)
            }
        }
    }

    /// The house's presets are a section of their own, a room's are in the room's.
    private static func presetsPath(_ path: [String]) -> [String] {
        (path.first == "rooms" ? path : []) + ["presets"]
    }
}
