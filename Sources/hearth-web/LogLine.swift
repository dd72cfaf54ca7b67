import Glibc
import Heating
import Logging

/// Log lines on standard error in the form of hearthd's: for journald with its priority prefix (`<4>`, sd-daemon(3)) and
/// no time of our own, for a person with the time in front; the message before its details.
struct LogLine: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .info
    let label: String
    /// Whether journald reads standard error (JOURNAL_STREAM, systemd.exec(5)).
    let isJournald: Bool

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { $1 }
        var output = text(event.level, "\(event.message)", merged, at: Self.now) + "\n"
        // One write per line, so that lines of different threads do not mix.
        _ = output.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    func text(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at time: Timestamp) -> String {
        var line = isJournald ? "<\(Self.priority(level))>" : "\(time) \(level) "
        line += "\(label): \(message)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(escaped("\(value)"))" }
        return String(line.map { $0.isNewline ? " " : $0 })
    }

    private static var now: Timestamp { Timestamp(nanoseconds: Int64(time(nil)) * 1_000_000_000) }

    /// Values come from outside: control characters must not reach a terminal.
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
