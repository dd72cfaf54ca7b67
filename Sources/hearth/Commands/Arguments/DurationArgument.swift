import ArgumentParser
import Heating

/// Reads a length of time as people type it: `45s`, `90m`, `2h`, `1h30m`, `1d`, also `2 h`, `90min` and ISO 8601's
/// `PT2H`. Units go from large to small, each at most once.
///
/// - Throws: `ValidationError` saying what is accepted. A bare number is refused: nobody can know its unit.
func durationArgument(_ text: String) throws -> Duration {
    guard let duration = Duration(iso8601: text.uppercased()) ?? parsedUnits(text) else {
        let hint = Int64(text) == nil ? "" : " (\(text) what? Add a unit)"
        throw ValidationError("'\(printable(text))' is not a length of time\(hint). Write it as 90m, 2h, 1h30m or 1d.")
    }
    guard duration >= .seconds(1) else { throw ValidationError("'\(printable(text))' is too short: 1s at least.") }
    guard duration <= HeatPumpCommand.longestDuration else {
        throw ValidationError("'\(printable(text))' is too long: 366d at most.")
    }
    return duration
}

private let units: [(names: [Substring], seconds: Int64)] = [
    (["d", "day", "days"], 86_400), (["h", "hour", "hours"], 3_600), (["m", "min", "minute", "minutes"], 60),
    (["s", "sec", "second", "seconds"], 1),
]

private func parsedUnits(_ text: String) -> Duration? {
    var rest = text.lowercased().filter { $0 != " " }[...]
    var total: Int64 = 0
    var allowed = units[...]
    repeat {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        let name = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(name.count)
        // Nine digits of days stay far below Int64's limit.
        guard digits.count <= 9, let amount = Int64(digits),
            let index = allowed.firstIndex(where: { $0.names.contains(name) })
        else { return nil }
        total += amount * allowed[index].seconds
        allowed = allowed[(index + 1)...]
    } while !rest.isEmpty
    return .seconds(total)
}
