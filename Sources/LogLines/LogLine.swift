import Glibc
import Heating
import Logging
import Machine

/// How every program of Hearth logs, on standard error: for journald with its priority prefix (`<4>`, sd-daemon(3)) and no
/// time of our own, for a person with the time in front; the message before its details. Any thread may log.
package struct LogLine: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    /// One that was set for this logger and its copies alone, or the threshold's.
    package var logLevel: Logger.Level {
        get { own ?? threshold.level }
        set { own = newValue }
    }
    private var own: Logger.Level?
    private let threshold: LogThreshold
    private let label: String
    private let isJournald: Bool
    private let quietUntil: Instant?

    /// - Parameters:
    ///   - threshold: below which nothing is said; may change.
    ///   - isJournald: whether journald reads standard error; by default as systemd says it (JOURNAL_STREAM,
    ///     systemd.exec(5)).
    ///   - quietUntil: below an error nothing is said until then.
    package init(
        label: String, threshold: LogThreshold = LogThreshold(.info), isJournald: Bool = Self.isReadByJournald,
        quietUntil: Instant? = nil
    ) {
        self.threshold = threshold
        self.quietUntil = quietUntil
        self.label = label
        self.isJournald = isJournald
    }

    package static var isReadByJournald: Bool { getenv("JOURNAL_STREAM").map { $0.pointee != 0 } ?? false }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        if event.level < .error, let quietUntil, Instant(nanoseconds: Clock.bootNanoseconds) < quietUntil { return }
        var details = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { details["error"] = "\(error)" }
        var output =
            text(event.level, "\(event.message)", details, at: Timestamp(nanoseconds: Clock.wallNanoseconds)) + "\n"
        // One write per line, so that lines of different threads do not mix.
        _ = output.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// One line, without its end.
    package func text(
        _ level: Logger.Level, _ message: String, _ details: Logger.Metadata, at time: Timestamp
    ) -> String {
        var line = isJournald ? "<\(Self.priority(level))>" : "\(time) \(level) "
        line += "\(label): \(message)"
        for (key, value) in details.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(escaped("\(value)"))" }
        return String(line.map { $0.isNewline ? " " : $0 })
    }

    /// Values come from outside (room names, brokers' errors): control characters must not reach a terminal.
    private func escaped(_ value: String) -> String {
        let safe = escapingControls(value)
        return safe.contains(" ") || safe.isEmpty ? "\"\(safe)\"" : safe
    }

    /// syslog(3) priorities.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
