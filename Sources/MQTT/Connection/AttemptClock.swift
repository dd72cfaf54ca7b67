/// By when an attempt to connect must have succeeded. Times are boot times in nanoseconds, and nothing else goes in.
struct AttemptClock: Equatable {
    /// When the attempt began, the resolver's time included.
    private(set) var start: Int64 = 0
    /// When it has failed unless it has succeeded.
    private(set) var end: Int64 = 0
    /// How long the current stage was given, for messages.
    private(set) var limit: Int64 = 0

    mutating func began(at now: Int64) { start = now }

    /// The resolver has answered: only from here on the time counts.
    mutating func resolved(at now: Int64, _ settings: ConnectionSettings) {
        limit = settings.connectTimeout
        end = now + limit
    }

    /// The CONNECT was sent.
    ///
    /// - Parameter isImpatient: silence may be the answer to this version, and another attempt is to come soon.
    mutating func asked(at now: Int64, isImpatient: Bool, _ settings: ConnectionSettings) {
        guard isImpatient, settings.answerTimeout < settings.connectTimeout else { return }
        limit = settings.answerTimeout
        end = min(end, now + limit)
    }
}
