import Heating

/// The `Retry-After` header: seconds, or an HTTP date (RFC 9110, sections 10.2.3 and 5.6.7).
enum RetryAfter {
    /// A longer wait is cut: a mistaken clock at the server must not stop the flow for a day.
    static let longest = Duration.seconds(15 * 60)

    /// - Returns: nil without a header or when it is neither form; zero for a date in the past.
    static func delay(_ header: String?, now: Timestamp) -> Duration? {
        guard let text = header?.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") else {
            return nil
        }
        if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            return min(Int64(text).map { .seconds($0) } ?? longest, longest)
        }
        guard let date = date(text) else { return nil }
        let (wait, overflow) = date.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        return overflow ? longest : min(max(.nanoseconds(wait), .zero), longest)
    }

    /// Accepts the three forms of RFC 9110, which a recipient must:
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
    static func date(_ text: String) -> Timestamp? {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var month: Int?
        var day: Int?
        var year: Int?
        var time: Substring?
        for part in parts.dropFirst() {
            if let index = months.firstIndex(where: { part == $0 }) {
                month = index + 1
            } else if part.contains(":") {
                time = part
            } else if let number = Int(part), number >= 0 {
                if day == nil { day = number } else { year = part.count == 2 ? fullYear(number) : number }
            } else if part != "GMT" {
                return nil
            }
        }
        guard let month, let day, let year, let time, (1...9999).contains(year), day <= 31 else { return nil }
        return Timestamp(iso8601: Array("\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(time)Z".utf8))
    }

    /// RFC 9110 reads a two-digit year that seems more than 50 years ahead as the past; these dates are near.
    private static func fullYear(_ twoDigits: Int) -> Int { twoDigits < 70 ? 2000 + twoDigits : 1900 + twoDigits }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
