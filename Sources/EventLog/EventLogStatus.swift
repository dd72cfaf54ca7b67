import Synchronization

/// What a log has done and how it is, for metrics and health.
public struct EventLogStatus: Sendable, Equatable {
    /// `kafka` or `journal`.
    public var engine: String
    /// Events that were appended and confirmed since the start.
    public var appended: Int64 = 0
    /// Appends that failed since the start.
    public var failedAppends: Int64 = 0
    /// Producers replaced after an error they could not recover from.
    public var producerRestarts: Int64 = 0
    /// Events of the journal's file that its disk returned damaged, since the file was made; 0 on Kafka.
    public var damaged: Int64 = 0
    /// Events of topics with a bound of their own that made room for newer ones, since the file was made.
    public var dropped: Int64 = 0
    /// The last thing that went wrong; nil after something went right.
    public var lastError: String?
    /// By name, the groups that have a reader in this process.
    public var groups: [String: Group] = [:]  // Own names: groups.

    public struct Group: Sendable, Equatable {
        /// Events the group has not read yet, as far as this process sees them: Kafka, those of the partitions its
        /// readers have; journal, an upper bound that counts other topics' events as well. 0 when there is no work
        /// left; nil before it is known.
        public var lag: Int64?
        /// The same for events it has not committed: what would be read again after a restart.
        public var uncommitted: Int64?
        /// Events that were gone from the log before the group had read them, since the start.
        public var lost: Int64 = 0
        /// Times the group's place in a partition was not one of it any more, so that it was read from its beginning.
        public var resets: Int64 = 0
        /// Partitions that readers in this process have.
        public var partitions = 0
        /// Events read since the start.
        public var read: Int64 = 0
        /// Consumers replaced because they made no progress.
        public var readerRestarts: Int64 = 0
    }

    /// With what another log beside it has taken and lost; that one's groups and restarts are not told.
    func with(_ more: EventLogStatus) -> EventLogStatus {
        var status = self
        status.appended += more.appended
        status.failedAppends += more.failedAppends
        status.damaged += more.damaged
        status.dropped += more.dropped
        status.lastError = status.lastError ?? more.lastError
        return status
    }
}

/// The status as the threads of a log keep it.
final class LogStatusBoard: Sendable {
    private let status: Mutex<EventLogStatus>

    init(engine: String) {
        status = Mutex(EventLogStatus(engine: engine))
    }

    var snapshot: EventLogStatus { status.withLock { $0 } }

    func update(_ change: (inout EventLogStatus) -> Void) {
        status.withLock { change(&$0) }
    }

    func update(group: String, _ change: (inout EventLogStatus.Group) -> Void) {
        status.withLock { change(&$0.groups[group, default: EventLogStatus.Group()]) }
    }

    func appended(_ count: Int) {
        update {
            $0.appended += Int64(count)
            $0.lastError = nil
        }
    }

    func failedAppend(_ error: EventLogError) {
        update {
            $0.failedAppends += 1
            $0.lastError = error.message
        }
    }
}
