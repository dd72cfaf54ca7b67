/// Watches whether a room answers to its pump: it should not go on falling while the pump is on, nor rise above its
/// upper limit while the pump is off. Either means a command that never arrived, a stuck relay or a broken pump.
struct PumpResponse: Equatable, Sendable {
    /// How much a room must move the wrong way within one window, in °C.
    static let margin = 1.0

    private var isOn: Bool?
    private var windowStart = Instant.zero
    private var startValue = 0.0
    private(set) var problem: Thermostat.PumpProblem?

    /// Takes a valid reading. `isOn` is what the pump was told; the problem is judged once per window of length
    /// `window`, and ends with a window in which the room answers.
    mutating func observe(_ value: Double, isOn: Bool?, offAbove: Double, window: Duration, now: Instant) {
        guard let isOn, window > .zero else {
            self = PumpResponse()
            return
        }
        let length = now - windowStart
        // After a silence nothing can be said about the time in between.
        if isOn != self.isOn || length > window * 2 {
            if isOn != self.isOn { problem = nil }
            (self.isOn, windowStart, startValue) = (isOn, now, value)
            return
        }
        guard length >= window else { return }
        let change = value - startValue
        if isOn && change < -Self.margin {
            problem = .fallsWhileOn(from: startValue, to: value, within: length)
        } else if !isOn && change > Self.margin && value > offAbove {
            problem = .risesWhileOff(from: startValue, to: value, within: length)
        } else {
            problem = nil
        }
        (windowStart, startValue) = (now, value)
    }
}

extension Thermostat {
    /// The room does not do what its pump was told.
    public enum PumpProblem: Equatable, Sendable {
        case fallsWhileOn(from: Double, to: Double, within: Duration)
        case risesWhileOff(from: Double, to: Double, within: Duration)

        public func text(in unit: TemperatureUnit) -> String { sentence(in: unit).text }

        public func sentence(in unit: TemperatureUnit) -> Sentence {
            switch self {
            case .fallsWhileOn(let from, let to, let time): said(.fell, from, to, time, unit)
            case .risesWhileOff(let from, let to, let time): said(.rose, from, to, time, unit)
            }
        }

        private func said(
            _ sentence: RoomSentence, _ from: Double, _ to: Double, _ time: Duration, _ unit: TemperatureUnit
        ) -> Sentence {
            Sentence(sentence, ["from": unit.value(from), "to": unit.value(to), "time": .duration(time)])
        }
    }
}
