/// Why the pump was told what it was told: one short sentence for the operator, sent along with each command.
public enum Reason: Equatable, Sendable, CustomStringConvertible {
    case noReadingYet
    /// `program` says whose limit it is, when it is not simply the room's.
    case below(value: Double, limit: Double, program: Thermostat.Program? = nil)
    case above(value: Double, limit: Double, program: Thermostat.Program? = nil)
    /// Between the limits; `isOn` is the decision that stands, nil when there was none yet.
    case between(value: Double, onBelow: Double, offAbove: Double, isOn: Bool?, program: Thermostat.Program? = nil)
    case frost(value: Double, limit: Double)
    case overheated(value: Double, limit: Double)
    case override(isOn: Bool, source: Thermostat.Source, duration: Duration)
    /// The room's mode is off.
    case switchedOff
    /// The cloud decides (`authority = "cloud"`).
    case cloud(isOn: Bool)
    case stale(after: Duration, action: Thermostat.OnStale)
    /// The decision before a restart, with no reading since.
    case restored(isOn: Bool)
    /// An override ended and no reading has come: back to what was before it.
    case overrideEnded(isOn: Bool)
    case disabled

    /// In °C.
    public var description: String { text(in: .celsius) }

    /// One decimal, in the unit of the house; a value that looks like its limit is called just below or above it.
    public func text(in unit: TemperatureUnit) -> String { sentence(in: unit).text }

    /// ``text(in:)`` before it is put into a language.
    public func sentence(in unit: TemperatureUnit) -> Sentence {
        switch self {
        case .noReadingYet: said(.noReadingYet)
        case .below(let value, let limit, let program): under(value, limit, unit).inBrackets(program, unit)
        case .above(let value, let limit, let program): over(value, limit, unit).inBrackets(program, unit)
        case .between(let value, let low, let high, let isOn, let program):
            said(
                isOn.map { $0 ? .staysOn : .staysOff } ?? .undecided,
                [
                    "reason": .sentence(
                        said(
                            .between,
                            ["value": unit.value(value), "low": unit.value(low), "high": unit.value(high)]
                        ).inBrackets(program, unit))
                ])
        case .frost(let value, let limit): said(.frost, ["reason": .sentence(under(value, limit, unit))])
        case .overheated(let value, let limit):
            value > limit
                ? said(.tooWarm, ["reason": .sentence(over(value, limit, unit))])
                : said(
                    .wasTooWarm,
                    ["limit": unit.value(limit), "value": unit.value(limit - Thermostat.overheatBand)])
        case .override(let isOn, let source, let duration):
            said(
                isOn ? .switchedOn : .switchedOff,
                ["who": .sentence(source.sentence), "time": .duration(duration)])
        case .switchedOff: said(.isOff)
        case .cloud(let isOn): said(isOn ? .cloudOn : .cloudOff)
        case .stale(let after, let action):
            said(.silent, ["time": .duration(after), "action": .sentence(action.sentence)])
        case .restored(let isOn): said(isOn ? .wasOn : .wasOff)
        case .overrideEnded(let isOn): said(isOn ? .endedOn : .endedOff)
        case .disabled: said(.disabled)
        }
    }
}

private func said(_ sentence: RoomSentence, _ values: KeyValuePairs<String, Sentence.Value> = [:]) -> Sentence {
    Sentence(sentence, values)
}

extension TemperatureUnit {
    /// A temperature in °C, for a sentence.
    public func value(_ celsius: Double) -> Sentence.Value { .number(shown(celsius)) }
}

extension Thermostat.Source {
    /// Who asked, behind what was asked for: "switched on *at a terminal*".
    public var words: String { sentence.text }

    public var sentence: Sentence {
        switch self {
        case .cli: said(.atTerminal)
        case .page: said(.fromPage)
        case .cloud: said(.byCloud)
        case .homeAssistant: said(.byHomeAssistant)
        case .device: said(.atPump)
        }
    }
}

extension Thermostat.OnStale {
    /// What a blind room's pump does.
    public var sentence: Sentence {
        switch self {
        case .off: said(.pumpIsOff)
        case .hold: said(.pumpStays)
        case .on: said(.pumpIsOn)
        }
    }
}

private func under(_ value: Double, _ limit: Double, _ unit: TemperatureUnit) -> Sentence {
    unit.text(value) == unit.text(limit)
        ? said(.justBelow, ["limit": unit.value(limit)])
        : said(.below, ["value": unit.value(value), "limit": unit.value(limit)])
}

private func over(_ value: Double, _ limit: Double, _ unit: TemperatureUnit) -> Sentence {
    unit.text(value) == unit.text(limit)
        ? said(.justAbove, ["limit": unit.value(limit)])
        : said(.above, ["value": unit.value(value), "limit": unit.value(limit)])
}

extension Sentence {
    fileprivate func inBrackets(_ program: Thermostat.Program?, _ unit: TemperatureUnit) -> Sentence {
        program.map {
            Sentence(
                RoomSentence.program, ["reason": .sentence(self), "program": .sentence($0.sentence(in: unit))])
        } ?? self
    }
}
