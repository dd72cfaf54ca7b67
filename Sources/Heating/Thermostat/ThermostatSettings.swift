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

        /// Strictly above, in °C, no pump runs: `overheatAbove`, and without one 28 °C, or three degrees above the highest
        /// `off_above` where that is more. Readings that are plausible reach it.
        public var overheatLimit: Double {
            overheatAbove ?? min(max(28, highestOffAbove + 3), (highestOffAbove + maxPlausible) / 2)
        }

        var highestOffAbove: Double {
            presets.values.reduce(limits.offAbove) { max($0, limits(of: $1).offAbove) }
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
