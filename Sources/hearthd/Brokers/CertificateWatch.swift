import Heating
import MQTT

/// When the certificates of the TLS links end.
enum CertificateWatch {
    /// One file and the end that matters.
    struct End: Equatable, Sendable {
        var file: String
        /// Nanoseconds since 1970.
        var notAfter: Int64
    }

    /// A chain is as good as the first of its certificates to end. A file of authorities is of use until the last one
    /// ends: while authorities change, the old and the new one are both in it.
    static func read(_ configuration: Configuration) -> [End] {
        var ends: [End] = []
        for tls in [configuration.local.tls, configuration.cloud.tls].compactMap({ $0 }) {
            if let file = tls.certificate, let end = CertificateFile.ends(in: file).min() {
                ends.append(End(file: file, notAfter: end * 1_000_000_000))
            }
            if let end = CertificateFile.ends(in: tls.ca).max() {
                ends.append(End(file: tls.ca, notAfter: end * 1_000_000_000))
            }
        }
        // Both links may use the same authority.
        return ends.enumerated().filter { index, end in !ends[..<index].contains(end) }.map(\.element)
    }
}

extension CertificateWatch.End {
    private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000
    /// So many days before the end it becomes an alarm.
    private static let daysAhead: Int64 = 14

    /// What a person should know about it at a wall time; `nil` while there is more than enough time.
    func warning(at now: Timestamp) -> Sentence? {
        let left = notAfter - now.nanoseconds
        if left <= 0 { return .finding(.expired, ["file": .text(file)]) }
        guard left <= Self.daysAhead * Self.dayNanoseconds else { return nil }
        let days = (left + Self.dayNanoseconds - 1) / Self.dayNanoseconds
        return .finding(days == 1 ? .expiresTomorrow : .expires, ["file": .text(file), "count": .count(days)])
    }

    private static let advice = Sentence.finding(.renew, command: "systemctl reload hearthd")

    func finding(at now: Timestamp) -> Finding? {
        warning(at: now).map {
            Finding(name: "certificate-expires", severity: .notice, subject: file, text: $0, advice: Self.advice)
        }
    }

    func check(at now: Timestamp) -> Check {
        guard let warning = warning(at: now) else {
            return Check(
                name: "certificate", state: .ok, detail: "\(file) is valid until \(Timestamp(nanoseconds: notAfter))")
        }
        return Check(
            name: "certificate", state: notAfter <= now.nanoseconds ? .error : .warning, detail: warning.text,
            advice: Self.advice.text)
    }
}
