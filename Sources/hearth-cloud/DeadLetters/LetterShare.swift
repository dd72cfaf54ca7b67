import Heating
import Logging
import Synchronization

/// How much of the dead letters' place each home may take with what a pipeline cannot use, so that what one home sends, such
/// as readings older than their bucket keeps, does not push out the others'.
final class LetterShare: Sendable {
    /// A quarter of what the dead letters have, and then as much as in eight hours.
    private static let limit = ByteBudget.Limit(burst: 16 << 20, perHour: 2 << 20)
    /// What a log spends on one beside its bytes, about.
    private static let overhead = 384
    private static let nobody = HomeID("nobody")

    private let pipeline: String
    private let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var budget = ByteBudget(home: LetterShare.limit, all: nil)
        var told = OncePerMinute()
    }

    init(pipeline: String, logger: Logger) {
        (self.pipeline, self.logger) = (pipeline, logger)
        state = Mutex(State())
    }

    /// Those that have a place. - Parameter now: boot time.
    func taking(_ letters: [DeadLetter], now: Instant) -> [DeadLetter] {
        state.withLock { state in
            letters.filter { letter in
                guard let home = HomeID(letter.key) ?? Self.nobody else { return true }
                if state.budget.take(letter.bytes.count + Self.overhead, of: home, now: now) { return true }
                if state.told.isNews(home.name, letter.reasonClass, now: now.nanoseconds) {
                    logger.error(
                        "dead letters beyond a home's share are counted only; the events are still in their topic",
                        metadata: [
                            "pipeline": "\(pipeline)", "home": "\(home.name)", "reason": "\(letter.reason)",
                            "source": "\(letter.source)",
                        ])
                }
                return false
            }
        }
    }
}
