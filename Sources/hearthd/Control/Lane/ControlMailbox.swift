import Heating
import Synchronization

/// What the other threads want from Control: the only way into that lane besides its broker.
///
/// Newest per room: a mailbox never holds a queue of stale wishes, so it is bounded by the number of rooms named in
/// it. Posting never blocks on anything but this lock.
final class ControlMailbox: Sendable {
    /// A wish for one room.
    struct Wish: Equatable, Sendable {
        enum What: Equatable, Sendable {
            case pump(isOn: Bool)
            /// Another setpoint.
            case hold(Thermostat.Target)
            /// Ends either: "auto".
            case release
            /// Ends a hold alone: Home Assistant's preset "none".
            case releaseHold
            /// Ends an override alone.
            case releaseOverride
            /// Holds what counts now, if nothing is held yet: Home Assistant's "heat".
            case keep
        }

        var what: What
        /// nil: as long as the settings say. A switched pump has an end in any case.
        var end: Thermostat.HoldEnd?
        var source: Thermostat.Source
    }

    /// The cloud's wishes and people's do not replace each other here; which of them counts the thermostat decides.
    fileprivate struct Slot: Hashable {
        var room: Room
        var isCloud: Bool
    }

    struct Contents: Sendable {
        fileprivate var wishes: [Slot: Wish] = [:]
        /// Whether the cloud's link is up, if that changed.
        var cloudLink: Bool?
        /// A configuration that a reload accepted.
        var configuration: Configuration?
        /// What the gateway is told of itself, for Home Assistant.
        var gateway: GatewayState?
        /// Rooms to forget for good.
        var forgotten: Set<Room> = []

        /// The cloud's first, so that of two wishes that compete a person's is the newer.
        var ordered: [(room: Room, wish: Wish)] {
            wishes.sorted { $0.key.isCloud && !$1.key.isCloud }.map { ($0.key.room, $0.value) }
        }
    }

    /// More rooms than this in one turn are hostile; further ones are refused.
    static let roomLimit = 1000

    private let contents = Mutex(Contents())

    /// - Returns: false when the mailbox is full and the wish was refused.
    func post(_ wish: Wish, for room: Room) -> Bool {
        contents.withLock {
            let slot = Slot(room: room, isCloud: wish.source == .cloud)
            guard $0.wishes[slot] != nil || $0.wishes.count < Self.roomLimit else { return false }
            $0.wishes[slot] = wish
            return true
        }
    }

    func post(cloudLink isUp: Bool) {
        contents.withLock { $0.cloudLink = isUp }
    }

    func post(_ state: GatewayState) {
        contents.withLock { $0.gateway = state }
    }

    func post(_ configuration: Configuration) {
        contents.withLock { $0.configuration = configuration }
    }

    /// - Returns: false when the mailbox is full and the room stays.
    func post(forgetting room: Room) -> Bool {
        contents.withLock {
            guard $0.forgotten.count < Self.roomLimit else { return false }
            $0.forgotten.insert(room)
            return true
        }
    }

    /// Takes everything out.
    func take() -> Contents {
        contents.withLock { contents in
            defer { contents = Contents() }
            return contents
        }
    }
}

extension ControlMailbox.Wish {
    /// For the log: what was asked for, by whom and for how long.
    func text(in unit: TemperatureUnit) -> String {
        let length =
            switch end {
            case .after(let duration)?: " for \(duration.spoken)"
            case .untilChanged?: " until it is changed"
            case nil: ""
            }
        let by = source.words
        return switch what {
        case .pump(let isOn): "switched \(isOn ? "on" : "off") \(by)\(length)"
        case .hold(let target): "\(target.text(in: unit)) set \(by)\(length)"
        case .release: "automatic again, \(by)"
        case .releaseHold: "the hold ended \(by)"
        case .releaseOverride: "the switching ended \(by)"
        case .keep: "what counts now, kept \(by)\(length)"
        }
    }

    var duration: Duration? { if case .after(let duration)? = end { duration } else { nil } }
}

extension ControlMailbox.Wish.What {
    /// In °C: what a person may ask for. No room is held colder; what is, is a number in another unit than the house's.
    static let lowest = 0.0

    /// What a person typed: `on`, `off`, `auto`, a preset, or a temperature in the unit of the house; nil for anything else.
    init?(_ text: String, in unit: TemperatureUnit) {
        switch text {
        case "on": self = .pump(isOn: true)
        case "off": self = .pump(isOn: false)
        case "auto": self = .release
        default:
            if let preset = Preset(rawValue: text) {
                self = .hold(.preset(preset))
            } else if let celsius = unit.celsius(text: text),
                (Self.lowest...Thermostat.Settings.highestTarget).contains(celsius)
            {
                self = .hold(.temperature(celsius))
            } else {
                return nil
            }
        }
    }
}

extension ControlMailbox.Wish.What {
    /// What a person asked for who wrote °C in a house of another unit, and what was understood, in °C; nil for other texts.
    static func meantCelsius(_ text: String, in unit: TemperatureUnit) -> (celsius: Double, meant: String)? {
        guard unit != .celsius, let celsius = unit.celsius(text: text), celsius < lowest,
            Self(text + TemperatureUnit.celsius.rawValue, in: unit) != nil
        else { return nil }
        return (celsius, text + TemperatureUnit.celsius.rawValue)
    }

    /// The temperature that is held, as a number in this unit; nil for other wishes.
    func number(in unit: TemperatureUnit) -> String? {
        guard case .hold(.temperature(let celsius)) = self else { return nil }
        return "\(unit.number(celsius))"
    }
}

extension TemperatureUnit {
    /// A temperature as a person types it, in °C: a number in JSON's grammar (`Double` alone would take others beside) in this
    /// unit, or in the one whose letter follows it, `70F`. nil for anything else.
    func celsius(text: String) -> Double? {
        let own = text.last.flatMap { TemperatureUnit(rawValue: String($0)) }
        let number = own == nil ? text : String(text.dropLast())
        return (try? JSON.parse(number))?.double.map { (own ?? self).celsius($0) }
    }
}
