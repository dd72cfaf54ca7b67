import Glibc
import Heating
import Logging
import Machine

/// Log lines on standard error: for journald with its priority prefix (`<4>`, sd-daemon(3)) and no time of our own,
/// for a person with the time in front.
struct JournaldLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .info
    private let label: String
    private let isJournald: Bool

    init(label: String, isJournald: Bool) {
        self.label = label
        self.isJournald = isJournald
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = isJournald ? "<\(Self.priority(event.level))>" : "\(Clock.wall) \(event.level) "
        line += "\(label): \(event.message)"
        let merged = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in merged.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(escaped("\(value)"))" }
        if let error = event.error { line += " error=\(escaped("\(error)"))" }
        // One write per line, so that lines of different threads do not mix.
        var output = String(line.map { $0.isNewline ? " " : $0 }) + "\n"
        _ = output.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Values come from outside (room names, broker errors): control characters must not reach a terminal.
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
