import ArgumentParser
import GatewayClient

/// The rooms that hearthd knows, for the shell; none while it does not answer.
let roomCompletion = CompletionKind.custom { _, _, _ in
    let socket = environmentVariable("HEARTH_SOCKET").flatMap { $0.isEmpty ? nil : $0 } ?? "/run/hearth/hearthd.sock"
    let status = try? ControlClient(socket: socket, timeout: .seconds(1)).status()
    return status.map { Status($0).rooms.map(\.name) } ?? []
}

/// More words than expected: a room's name with a space in it, which the shell has split.
func quotesMissing(in words: [String], command: String, _ last: String? = nil) -> ValidationError {
    let name = printable(words.joined(separator: " "))
    let rest = last.map { " \(printable($0))" } ?? ""
    return ValidationError("A room's name with a space in it needs quotes: hearth \(command) '\(name)'\(rest)")
}

/// What a person typed, as hearthd reads it: `21,5` is 21.5 in the house's unit, `21.5 °C` is 21.5C, `70f` is 70F. Nil for what
/// is no wish.
func overrideWish(_ text: String) -> String? {
    if ["on", "off", "auto", "frost", "eco", "comfort"].contains(text.lowercased()) { return text.lowercased() }
    var number = text.filter { $0 != " " }.replacing(",", with: ".").uppercased()
    var unit = ""
    if let letter = number.last, "CF".contains(letter) { unit = String(number.removeLast()) }
    if number.hasSuffix("°") { number.removeLast() }
    guard number.allSatisfy({ $0.isASCII && ($0.isNumber || ".-+".contains($0)) }), let value = Double(number),
        value.isFinite
    else { return nil }
    return "\(value)\(unit)"
}

/// `-5` is a temperature and not an option: it goes behind `--`, where ArgumentParser takes it as it is. So does a payload to
/// be tested, whatever it begins with.
func protectingNegativeNumbers(_ arguments: [String]) -> [String] {
    guard ["override", "settings", "devices"].contains(arguments.first), !arguments.contains("--"),
        let index = arguments.firstIndex(where: { $0.hasPrefix("-") && isValue($0) })
    else { return arguments }
    var others = arguments
    let number = others.remove(at: index)
    return others + ["--", number]
}

/// Options begin with a letter.
private func isValue(_ argument: String) -> Bool {
    overrideWish(argument) != nil
        || argument.utf8.drop { $0 == UInt8(ascii: "-") }.first.map { $0 < UInt8(ascii: "A") } ?? true
}
