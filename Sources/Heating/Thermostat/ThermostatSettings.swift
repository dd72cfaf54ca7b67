extension Thermostat {
    /// One room's rules: the `[thermostat]` section of the configuration, with its defaults.
    public struct Settings: Equatable, Sendable {
        /// False: this room gets no command from here at all; readings are still shown.
        public var enabled = true
        /// Off: no pump but for frost protection, until it is auto again.
        public var mode = Mode.auto
        public var authority = Authority.local
        /// Strictly below, in °C: start. Between the limits the last decision stands.
        public var onBelow = 20.0
        /// Strictly above, in °C: stop.
        public var offAbove = 25.0
        /// One number instead of the two limits, in °C.
        public var target: Double?
        /// How far apart start and stop are around a target, in °C.
        public var band = 0.6
        /// Readings of exactly these values are sensor faults: neither obeyed nor a sign of life.
        ///
        /// 100: the black box's outliers. 85: what a DS18B20 holds after power-on, until it has measured (its data sheet,
        /// "Operation: measuring temperature"). -127: what the drivers of DS18B20 return for a sensor that does not answer
        /// (DallasTemperature's `DEVICE_DISCONNECTED_C`).
        public var discard = [100.0, 85.0, -127.0]
        /// Readings outside of these, in °C, are sensor faults too: no room that is lived in has them.
        public var minPlausible = -40.0
        public var maxPlausible = 60.0
        /// A reading that is further from the last one than this, in °C per minute and at least one minute's worth,
        /// is not believed before three in a row agree; zero: no such guard.
        public var maxChangePerMinute = 0.0
        /// Once started, the pump runs at least this long, whoever wants it stopped.
        public var minOn = Duration.zero
        /// Once stopped, it rests at least this long, whoever wants it started. After a restart it counts as just stopped.
        public var minOff = Duration.zero
        /// The command is repeated this often, in case the pump missed it; zero: never.
        public var refresh = Duration.seconds(60)
        /// Without a reading for this long, judged by arrival, the room is blind.
        public var staleAfter = Duration.seconds(15 * 60)
        public var onStale = OnStale.off
        /// Strictly below, in °C: heat, whatever overrides and the cloud say.
        public var frostBelow = 5.0
        /// Strictly above, in °C: no pump runs, whatever overrides, the cloud, a schedule or `onStale` say. nil: see
        /// ``overheatLimit``.
        public var overheatAbove: Double?
        /// How long a manual or cloud command counts when it names no end.
        public var overrideTTL = Duration.seconds(3600)
        /// A room that moves the wrong way for this long has a pump that does not respond; zero: never judged.
        public var responseTime = Duration.seconds(30 * 60)
        /// Presets that are not the derived ones (``setpoint(of:)-(Preset)``).
        public var presets: [Preset: Setpoint] = [:]
        public var schedule = Schedule()

        public init() {}

        /// What is wrong with the values, one sentence each, beginning with the key. In °C.
        public var problems: [String] { problems(in: .celsius) }

        /// As ``problems``, with temperatures in the unit of the house.
        public func problems(in unit: TemperatureUnit) -> [String] {
            var problems: [String] = []
            func require(_ condition: Bool, _ sentence: String) {
                if !condition { problems.append(sentence) }
            }
            require(discard.allSatisfy(\.isFinite), "discard must hold finite numbers only")
            require(minPlausible < maxPlausible, "min_plausible must be below max_plausible")
            problems += setpointProblems(unit)
            if let overheatAbove {
                require(
                    overheatAbove > highestOffAbove,
                    "overheat_above (\(unit.number(overheatAbove))) must be above every off_above and target with its band "
                        + "(\(unit.number(highestOffAbove)))")
            }
            require(
                (0.1...10).contains(band),
                "band (\(unit.shown(difference: band))) must lie between "
                    + "\(unit.shown(difference: 0.1)) and \(unit.shown(difference: 10))")
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

        /// Strictly above, in °C, no pump runs: `overheatAbove`, and without one 28 °C, or three degrees above the highest
        /// `off_above` where that is more. Readings that are plausible reach it.
        public var overheatLimit: Double {
            overheatAbove ?? min(max(28, highestOffAbove + 3), (highestOffAbove + maxPlausible) / 2)
        }

        private var highestOffAbove: Double {
            presets.values.reduce(limits.offAbove) { max($0, limits(of: $1).offAbove) }
        }

        private func setpointProblems(_ unit: TemperatureUnit) -> [String] {
            var problems: [String] = []
            func shown(_ value: Double) -> String { "\(unit.number(value))" }
            if let target {
                if let problem = targetProblem(target, unit) { problems.append("target (\(shown(target))) \(problem)") }
            } else {
                if onBelow > offAbove {
                    problems.append("on_below (\(shown(onBelow))) must not be above off_above (\(shown(offAbove)))")
                }
                if frostBelow > onBelow {
                    problems.append(
                        "frost_below (\(shown(frostBelow))) must not be above on_below (\(shown(onBelow)))")
                }
            }
            for (key, value) in limitsByKey where !(minPlausible < value && value < maxPlausible) {
                problems.append(
                    "\(key) (\(shown(value))) must lie between min_plausible and max_plausible (\(shown(minPlausible)) and "
                        + "\(shown(maxPlausible))), in \(unit.symbol): readings beyond them are taken for faults")
            }
            return problems
        }

        /// Why a temperature is no target here; nil when it is one.
        public func targetProblem(_ target: Double, _ unit: TemperatureUnit) -> String? {
            let highest = min(Self.highestTarget, maxPlausible - band)
            guard !(target >= frostBelow && target <= highest) else { return nil }
            return "must lie between frost_below and \(unit.text(highest)) (\(unit.text(frostBelow)) to "
                + "\(unit.text(highest)) \(unit.symbol))"
        }

        private var limitsByKey: [(String, Double)] {
            (target == nil ? [("on_below", onBelow), ("off_above", offAbove)] : []) + [("frost_below", frostBelow)]
                + (overheatAbove.map { [("overheat_above", $0)] } ?? [])
        }

        private func presetProblems(_ unit: TemperatureUnit) -> [String] {
            func shown(_ value: Double) -> String { "\(unit.number(value))" }
            return presets.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap { preset, setpoint in
                switch setpoint {
                case .target(let target):
                    return targetProblem(target, unit).map {
                        "presets.\(preset.rawValue).target (\(shown(target))) \($0)"
                    }
                case .limits(let low, let high):
                    guard low.isFinite, high.isFinite, frostBelow <= low, low <= high, high < maxPlausible else {
                        return "presets.\(preset.rawValue) needs frost_below (\(shown(frostBelow))) <= on_below "
                            + "(\(shown(low))) <= off_above (\(shown(high))) < max_plausible (\(shown(maxPlausible)))"
                    }
                    return nil
                }
            }
        }
    }

    /// Whether a room is heated at all: a setting without an end.
    public enum Mode: String, CaseIterable, Sendable {
        /// By its temperature, its schedule and what people ask for.
        case auto
        /// Not at all, but for frost protection and for a pump that somebody switches on for a while.
        case off
    }

    /// Who decides while nobody overrides.
    public enum Authority: String, CaseIterable, Sendable {
        case local
        /// The cloud's commands, while its link is up and they have not expired; the local rules otherwise.
        case cloud
    }

    /// What a blind room does.
    public enum OnStale: String, CaseIterable, Sendable {
        case off, hold, on
    }

    /// Who gave a command that is not the thermostat's own.
    public enum Source: String, CaseIterable, Sendable {
        case cli, page, cloud
        case homeAssistant = "home-assistant"
        /// Somebody switched the pump itself.
        case device
    }
}
