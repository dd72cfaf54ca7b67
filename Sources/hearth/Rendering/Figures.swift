import GatewayClient
import Heating

/// Numbers written for people: "3 min 20 s", "1.2 MiB", "41 233".

/// A length of time in its two largest units, whole seconds at the finest. A time that has just passed counts as
/// zero; far negative and non-finite lengths, which only a broken clock can produce, read "?".
func durationText(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds > -60, seconds < 1e12 else { return "?" }
    return seconds < 1 ? "0 s" : Duration.seconds(Int64(seconds)).spoken
}

/// A size in the largest binary unit that keeps it at 1 or more (IEC 80000-13), to three digits or so.
func sizeText(_ bytes: Int64) -> String {
    guard bytes >= 0 else { return "?" }
    guard bytes >= 1_024 else { return "\(bytes) B" }
    var value = Double(bytes) / 1_024
    var unit = "KiB"
    for larger in ["MiB", "GiB", "TiB", "PiB", "EiB"] where value >= 1_023.5 {
        value /= 1_024
        unit = larger
    }
    var number = fixedText(value, digits: value < 99.95 ? 1 : 0)
    if number.hasSuffix(".0") { number.removeLast(2) }
    return "\(number) \(unit)"
}

/// A count with a space between groups of three digits (ISO 80000-1, 7.3.1).
func groupedText(_ count: some BinaryInteger) -> String {
    let digits = Array(String(count.magnitude))
    var result = count < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { result.append(" ") }
        result.append(digit)
    }
    return result
}

/// `value` with exactly `digits` decimals, rounded half away from zero. No locale: a point, never a comma.
func fixedText(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return "?" }
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    guard abs(value) * scale < 1e15 else { return "\(value)" }
    let scaled = Int64((abs(value) * scale).rounded(.toNearestOrAwayFromZero))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let text = String(scaled)
    let padding = String(repeating: "0", count: max(0, digits + 1 - text.count))
    let all = padding + text
    return sign + all.dropLast(digits) + "." + all.suffix(digits)
}

/// A rate: whole above ten, one decimal below, because "0/s" would hide a slow drain.
func rateText(_ rate: Double, unit: String = "s") -> String {
    guard rate.isFinite, rate >= 0, rate < 1e15 else { return "?/\(unit)" }
    return (rate >= 10 ? groupedText(Int64(rate.rounded())) : fixedText(rate, digits: 1)) + "/\(unit)"
}

/// "1 reading", "2 readings", "41 233 readings".
func countText(_ count: Int64, _ noun: String) -> String {
    "\(groupedText(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// Counts by reason, most frequent first: "not_json 3, bad_value 1".
func reasonsText(_ counts: [ReasonCount]) -> String {
    counts.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
        .map { "\(printable($0.reason)) \(groupedText($0.count))" }.joined(separator: ", ")
}

extension MeasureStatus {
    /// `flow temperature`.
    var nameText: String { String(measure.map { $0 == "_" ? " " : $0 }) }

    /// One decimal and the unit, where it is known.
    var valueText: String {
        guard let value, value.isFinite else { return "-" }
        return unit.isEmpty ? fixedText(value, digits: 1) : "\(fixedText(value, digits: 1)) \(unit)"
    }
}
