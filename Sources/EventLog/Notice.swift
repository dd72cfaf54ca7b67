/// Something a log wants to tell the operator, for the program's own logger.
public struct EventLogNotice: Sendable, Equatable {
    public enum Level: String, Sendable, Comparable {
        case debug, info, warning, error

        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    public var level: Level
    public var message: String

    public init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }
}

/// Called on any thread, also on those of librdkafka: return soon, and call nothing of the log.
public typealias NoticeHandler = @Sendable (EventLogNotice) -> Void
