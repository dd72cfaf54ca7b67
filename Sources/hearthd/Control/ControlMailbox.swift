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
            /// Other limits for a while.
            case hold(Thermostat.Target)
            /// Ends either: "auto".
            case release
            /// Ends a hold alone: Home Assistant's preset "none".
            case releaseHold
        }

        var what: What
        /// nil: as long as the settings say.
        var duration: Duration?
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

extension ControlMailbox.Wish.What {
    /// What a person typed: `on`, `off`, `auto`, a preset, or the temperature in the middle; nil for anything else.
    init?(_ text: String) {
        switch text {
        case "on": self = .pump(isOn: true)
        case "off": self = .pump(isOn: false)
        case "auto": self = .release
        default:
            if let preset = Preset(rawValue: text) {
                self = .hold(.preset(preset))
            } else if let middle = JSON.double(text), (-20.0...50.0).contains(middle) {
                self = .hold(.middle(middle))
            } else {
                return nil
            }
        }
    }
}

extension JSON {
    /// A number in JSON's grammar, which `Double` alone would take beside others.
    fileprivate static func double(_ text: String) -> Double? {
        (try? JSON.parse(text))?.double
    }
}
