/// Why a value is no setting. The page has each of them in all its languages (`Sources/HomePage/Page/said.*.js`).
public enum SettingSentence: String, CaseIterable, Sendable {
    case beyondFrost = "{setting} ({value}) must lie between frost_below and {high} ({low} to {high} {unit})"
    case beyond = "{setting} ({value}) must lie between {low} and {high}"
    case overheat = "{setting} ({value}) must be above every off_above and target with its band ({high})"
    /// Of what only the file can set, in the words of the file.
    case inFile = "{problem}"

    // A line of a schedule.
    case line = "{line}: {problem}"
    case lines = "{first}; {rest}"
    case lineParts = "must be days, time and preset, as {example}"
    case lineDays = "{word} must be days: mon-fri, sat,sun or daily"
    case lineTime = "{word} must be a time from 00:00 to 23:59"
    case linePreset = "{word} must be one of {names}"
}

/// What a setting is called: in English as in the configuration, elsewhere as on the page.
public enum SettingName: String, CaseIterable, Sendable {
    case target = "target"
    case band = "band"
    case frost = "presets.frost"
    case eco = "presets.eco"
    case comfort = "presets.comfort"
    case frostTarget = "presets.frost.target"
    case ecoTarget = "presets.eco.target"
    case comfortTarget = "presets.comfort.target"

    /// The name as a value of a sentence; as it is where it has no other.
    public static func value(_ key: String) -> Sentence.Value {
        SettingName(rawValue: key).map { .sentence(Sentence($0)) } ?? .text(key)
    }
}

extension Thermostat.Settings {
    /// What is wrong with the values, one sentence each, beginning with the key. In °C.
    public var problems: [String] { problems(in: .celsius).map(\.text) }

    /// As ``problems``, with temperatures in the unit of the house.
    public func problems(in unit: TemperatureUnit) -> [Sentence] {
        var problems: [Sentence] = []
        func require(_ condition: Bool, _ problem: String) {
            if !condition { problems.append(.inFile(problem)) }
        }
        require(discard.allSatisfy(\.isFinite), "discard must hold finite numbers only")
        require(minPlausible < maxPlausible, "min_plausible must be below max_plausible")
        problems += setpointProblems(unit)
        if let overheatAbove, !(overheatAbove > highestOffAbove) {
            problems.append(
                Sentence(
                    SettingSentence.overheat,
                    [
                        "setting": .text("overheat_above"), "value": .exact(unit.number(overheatAbove)),
                        "high": .exact(unit.number(highestOffAbove)),
                    ]))
        }
        if !(0.1...10).contains(band) {
            problems.append(
                Sentence(
                    SettingSentence.beyond,
                    [
                        "setting": SettingName.value("band"), "value": .exact(unit.shown(difference: band)),
                        "low": .exact(unit.shown(difference: 0.1)), "high": .exact(unit.shown(difference: 10)),
                    ]))
        }
        require(maxChangePerMinute >= 0, "max_change_per_minute must not be negative")
        problems += presetProblems(unit)
        let times = [
            ("min_on", minOn), ("min_off", minOff), ("refresh", refresh), ("response_time", responseTime),
        ]
        for (key, value) in times { require(value >= .zero, "\(key) must not be negative") }
        for (key, value) in [("stale_after", staleAfter), ("override_ttl", overrideTTL)] {
            require(value > .zero, "\(key) must be more than zero")
        }
        let longest = HeatPumpCommand.longestDuration
        for (key, value) in times + [("stale_after", staleAfter), ("override_ttl", overrideTTL)] {
            require(value <= longest, "\(key) must not be more than a year")
        }
        return problems
    }

    private func setpointProblems(_ unit: TemperatureUnit) -> [Sentence] {
        var problems: [Sentence] = []
        func shown(_ value: Double) -> String { "\(unit.number(value))" }
        if let target {
            problems += [targetProblem(target, "target", unit)].compactMap { $0 }
        } else {
            if onBelow > offAbove {
                problems.append(
                    .inFile("on_below (\(shown(onBelow))) must not be above off_above (\(shown(offAbove)))"))
            }
            if frostBelow > onBelow {
                problems.append(
                    .inFile("frost_below (\(shown(frostBelow))) must not be above on_below (\(shown(onBelow)))"))
            }
        }
        for (key, value) in limitsByKey where !(minPlausible < value && value < maxPlausible) {
            problems.append(
                .inFile(
                    "\(key) (\(shown(value))) must lie between min_plausible and max_plausible (\(shown(minPlausible)) and "
                        + "\(shown(maxPlausible))), in \(unit.symbol): readings beyond them are taken for faults"))
        }
        return problems
    }

    /// Why a temperature is no target here; nil when it is one.
    private func targetProblem(_ target: Double, _ key: String, _ unit: TemperatureUnit) -> Sentence? {
        let highest = min(Self.highestTarget, maxPlausible - band)
        guard !(target >= frostBelow && target <= highest) else { return nil }
        return Sentence(
            SettingSentence.beyondFrost,
            [
                "setting": SettingName.value(key), "value": .exact(unit.number(target)), "low": unit.value(frostBelow),
                "high": unit.value(highest), "unit": .text(unit.symbol),
            ])
    }

    private var limitsByKey: [(String, Double)] {
        (target == nil ? [("on_below", onBelow), ("off_above", offAbove)] : []) + [("frost_below", frostBelow)]
            + (overheatAbove.map { [("overheat_above", $0)] } ?? [])
    }

    private func presetProblems(_ unit: TemperatureUnit) -> [Sentence] {
        func shown(_ value: Double) -> String { "\(unit.number(value))" }
        return presets.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { preset, setpoint in
            switch setpoint {
            case .target(let target): return targetProblem(target, "presets.\(preset.rawValue).target", unit)
            case .limits(let low, let high):
                guard low.isFinite, high.isFinite, frostBelow <= low, low <= high, high < maxPlausible else {
                    return .inFile(
                        "presets.\(preset.rawValue) needs frost_below (\(shown(frostBelow))) <= on_below "
                            + "(\(shown(low))) <= off_above (\(shown(high))) < max_plausible (\(shown(maxPlausible)))")
                }
                return nil
            }
        }
    }
}

extension Sentence {
    fileprivate static func inFile(_ problem: String) -> Sentence {
        Sentence(SettingSentence.inFile, ["problem": .text(problem)])
    }
}
