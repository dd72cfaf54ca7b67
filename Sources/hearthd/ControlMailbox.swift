import Heating
import Synchronization

/// What the other threads want from Control: the only way into that lane besides its broker.
///
/// Newest per room: a mailbox never holds a queue of stale wishes, so it is bounded by the number of rooms named in
/// it. Posting never blocks on anything but this lock.
final class ControlMailbox: Sendable {
    /// A wish for one room.
    struct Wish: Equatable, Sendable {
        /// nil clears an override ("auto").
        var pumpOn: Bool?
        var duration: Duration?
        var source: Thermostat.Source
    }

    struct Contents: Sendable {
        var wishes: [Room: Wish] = [:]
        /// A configuration that a reload accepted.
        var configuration: Configuration?
        /// The newest reading per room, from Record, while nothing is controlled.
        var observations: [Room: Double] = [:]
    }

    /// More rooms than this in one turn are hostile; further ones are refused.
    static let roomLimit = 1000

    private let contents = Mutex(Contents())
    /// Set by Control when no thermostat is enabled: it does not listen to the sensors then, and what it shows of the
    /// rooms comes from Record, which reads them anyway.
    let wantsObservations = Atomic(false)

    /// - Returns: false when the mailbox is full and the wish was refused.
    func post(_ wish: Wish, for room: Room) -> Bool {
        contents.withLock {
            guard $0.wishes[room] != nil || $0.wishes.count < Self.roomLimit else { return false }
            $0.wishes[room] = wish
            return true
        }
    }

    func post(_ configuration: Configuration) {
        contents.withLock { $0.configuration = configuration }
    }

    /// Newer readings replace older ones; those of more rooms than Control keeps are left out.
    func post(observations: [Room: Double]) {
        contents.withLock { contents in
            contents.observations.merge(observations) { _, new in new }
            if contents.observations.count > Self.roomLimit { contents.observations = observations }
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
