/// Why the log could not do what was asked, with what to do next.
public struct EventLogError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// No broker answered in time, or none whose answer says that an event is stored. Works again by itself.
        case unreachable
        /// The topic does not exist (yet).
        case unknownTopic = "unknown_topic"
        /// Fewer replicas are in sync than the topic demands. Works again when brokers return.
        case notEnoughReplicas = "not_enough_replicas"
        /// The broker refused an event or a request; the message says why.
        case refused
        /// The producer was in a state it could not leave and has been replaced. Repeat.
        case restarted
        /// An event is larger than the log takes. Repeating cannot help.
        case tooLarge = "too_large"
        /// The log's access rules forbid it. Works when somebody changes them.
        case notAuthorized = "not_authorized"
        /// Another process joined the group under the same instance name.
        case fenced
        /// The disk under the journal is full or its size limit is reached.
        case full
        /// The disk under the journal failed.
        case storage
        /// The settings cannot work.
        case settings
        /// The log or the reader was closed.
        case closed
    }

    public var code: Code
    /// One sentence on what happened and one on what to do.
    public var message: String
    /// Which event of the appended batch is to blame, where that is known.
    public var eventIndex: Int?

    public init(_ code: Code, _ message: String, eventIndex: Int? = nil) {
        self.code = code
        self.message = message
        self.eventIndex = eventIndex
    }

    /// Whether the same call may succeed later without anybody changing the program or its settings.
    public var isTransient: Bool {
        switch code {
        case .unreachable, .unknownTopic, .notEnoughReplicas, .refused, .restarted, .notAuthorized, .full, .storage:
            true
        case .tooLarge, .fenced, .settings, .closed: false
        }
    }

    public var description: String { message }
}

extension EventLogError {
    static let closed = EventLogError(.closed, "The event log was closed.")
}
