import Logging
import Synchronization

/// Below which level nothing is said, for all copies of a logger: a reload changes it while they are in use. Any thread.
package final class LogThreshold: Sendable {
    private let current: Mutex<Logger.Level>

    package init(_ level: Logger.Level) { current = Mutex(level) }

    package var level: Logger.Level {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
