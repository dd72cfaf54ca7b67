import Heating
import TOMLKit

/// One thing wrong with a configuration, in the words an operator needs: where, which key, what to write instead.
struct ConfigurationProblem: Error, Equatable, CustomStringConvertible {
    /// 1-based line in the file; nil for environment variables and keys that are missing altogether.
    var line: Int?
    /// The key as a person writes it, `local.port`, or the environment variable's name.
    var key: String
    var message: String
    var file: String

    var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
    }
}

/// All the problems of one configuration at once, so that a person mends the file in one go.
struct ConfigurationError: Error, CustomStringConvertible {
    var problems: [ConfigurationProblem]
    var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Typed access to a TOML document with environment overrides, collecting every problem instead of stopping at the
/// first. A key that nobody asked for is a problem too: a misspelt `min_of` must not silently mean "no protection".
///
/// Environment: `HEARTH_<SECTION>_<KEY>` (`HEARTH_HOME`, `HEARTH_LOCAL_TLS_CA`) beats the file.
struct ConfigurationReader {
    private let file: String
    private let table: TOMLTable?
    private let lines: TOMLLines
    private let environment: [String: String]  // Own names: variables.
    private var asked: Set<[String]> = []  // Own names: keys; of rooms, all alike.
    private var reported: [[String]] = []
    private(set) var problems: [ConfigurationProblem] = []
    /// Of every temperature in the file.
    var unit = TemperatureUnit.celsius

    init(text: String, file: String, environment: [String: String]) {
        self.file = file
        self.environment = environment
        lines = TOMLLines(text)
        // The library reads up to there: a file of zeros, as a power cut may leave one, would be an empty one.
        guard !text.utf8.contains(0) else {
            table = nil
            problems.append(.init(line: nil, key: "", message: "not TOML: it holds a zero byte", file: file))
            return
        }
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            table = nil
            problems.append(.init(line: error.source.begin.line, key: "", message: error.description, file: file))
        } catch {
            table = nil
            problems.append(.init(line: nil, key: "", message: "not TOML: \(error)", file: file))
        }
    }

    mutating func report(_ path: [String], _ message: String) {
        reported.append(path)
        let variable = Self.variable(path)
        if environment[variable] != nil {
            problems.append(.init(line: nil, key: variable, message: message, file: "environment"))
        } else {
            problems.append(.init(line: lines[path], key: Self.dotted(path), message: message, file: file))
        }
    }

    /// Where it is written, for messages about something else.
    func place(of path: [String]) -> String { lines[path].map { "\(file):\($0)" } ?? file }

    // MARK: Typed values

    mutating func string(_ path: [String]) -> String? {
        value(path, "text in quotes", fromFile: \.string) { $0 }
    }

    mutating func bool(_ path: [String]) -> Bool? {
        value(path, "true or false", fromFile: \.bool) { ["true": true, "false": false][$0] }
    }

    mutating func integer(_ path: [String], in range: ClosedRange<Int>) -> Int? {
        guard let number = value(path, "a whole number", fromFile: \.int, fromText: { Int($0) }) else { return nil }
        if range.contains(number) { return number }
        report(path, "\(number) is outside \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    mutating func number(_ path: [String], in range: ClosedRange<Double>) -> Double? {
        let read = value(path, "a number", fromFile: { $0.double ?? $0.int.map(Double.init) }, fromText: { Double($0) })
        guard let read else { return nil }
        if read.isFinite, range.contains(read) { return read }
        report(path, "\(read) is outside \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    mutating func numbers(_ path: [String]) -> [Double]? {
        value(
            path, "a list of numbers such as [100.0]",
            fromFile: { node in
                guard let array = node.array else { return nil }
                let read = array.compactMap { $0.double ?? $0.int.map(Double.init) }
                return read.count == array.count && read.allSatisfy(\.isFinite) ? read : nil
            },
            fromText: { text in
                let parts = text.split(separator: ",")
                let read = parts.compactMap { Double($0.drop { $0 == " " }) }
                return read.count == parts.count && read.allSatisfy(\.isFinite) ? read : nil
            })
    }

    /// A list of texts; in the environment they are separated by semicolons.
    mutating func strings(_ path: [String]) -> [String]? {
        value(
            path, "a list of texts in quotes",
            fromFile: { node in
                guard let array = node.array else { return nil }
                let read = array.compactMap(\.string)
                return read.count == array.count ? read : nil
            },
            fromText: { $0.split(separator: ";").map(String.init) })
    }

    mutating func oneOf<Choice>(_ path: [String], _ type: Choice.Type) -> Choice?
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        return value(path, choices, fromFile: { $0.string.flatMap(Choice.init) }, fromText: Choice.init)
    }

    /// A duration such as `"90s"`, `"15m"`, `"1h30m"`, `"500ms"`, `"7d"`.
    mutating func duration(_ path: [String], in range: ClosedRange<Duration>) -> Duration? {
        let expected = "a duration such as \"90s\", \"15m\" or \"1h30m\""
        let read = value(path, expected, fromFile: { $0.string.flatMap(parseDuration) }, fromText: parseDuration)
        guard let read else { return nil }
        if range.contains(read) { return read }
        report(path, "must be from \(range.lowerBound.spoken) to \(range.upperBound.spoken), not \(read.spoken)")
        return nil
    }

    /// A size in bytes such as `"512MiB"`, `"2GB"` or a plain number.
    mutating func size(_ path: [String], in range: ClosedRange<Int64>) -> Int64? {
        let read = value(
            path, "a size such as \"512MiB\"",
            fromFile: { $0.string.flatMap(parseSize) ?? $0.int.map(Int64.init) }, fromText: parseSize)
        guard let read else { return nil }
        if range.contains(read) { return read }
        report(path, "\(read) bytes is outside \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// The names of the tables below `path`: the rooms. Reports what is none.
    mutating func tableNames(_ path: [String]) -> [String] {
        asked.insert(path)
        guard let table = node(path)?.table else { return [] }
        let names = table.keys.sorted()
        for name in names where table[name]?.table == nil {
            let section = path + [name]
            guard !reported.contains(section) else { continue }
            report(section, "must be a table: write [\(Self.dotted(section))], and below it its settings")
        }
        return names.filter { table[$0]?.table != nil }
    }

    /// How many tables `[[path]]` has; reports what is no such list.
    mutating func tableCount(_ path: [String]) -> Int {
        guard let node = node(path) else { return 0 }
        if let array = node.array, array.allSatisfy({ $0.table != nil }) { return array.count }
        asked.insert(path)
        report(path, "must be a list of tables: write [[\(Self.dotted(path))]]")
        return 0
    }

    /// A table of texts, in the file's order of keys.
    mutating func texts(_ path: [String]) -> [(key: String, text: String)]? {
        asked.insert(path)
        guard let node = node(path) else { return nil }
        guard let table = node.table else {
            report(path, "must be a table of texts such as { \"0x00158d0001dead\" = \"office\" }")
            return nil
        }
        return table.keys.compactMap { key in
            asked.insert(path + [key])
            guard let text = table[key]?.string else {
                report(path + [key], "must be text in quotes")
                return nil
            }
            return (key, text)
        }
    }

    /// Takes over what was found in another file.
    mutating func adopt(_ other: [ConfigurationProblem]) { problems += other }

    /// Whether anything is written below `path`, in the file or the environment.
    func isPresent(_ path: [String]) -> Bool {
        let prefix = Self.variable(path) + "_"
        return node(path) != nil || environment.keys.contains { $0.hasPrefix(prefix) }
    }

    func isTable(_ path: [String]) -> Bool { node(path)?.table != nil || node(path) == nil }

    /// Whether this very key is written, in the file or the environment.
    func isWritten(_ path: [String]) -> Bool { node(path) != nil || environment[Self.variable(path)] != nil }

    /// Reports every key that nobody asked for. Call last.
    mutating func reportUnknownKeys() {
        var unknown: [[String]] = []
        collect(table, at: [], into: &unknown)
        // What was said of a key, or of one below it, is enough.
        unknown.removeAll { path in reported.contains { $0.starts(with: path) } }
        for path in unknown {
            let known = Set(asked.filter { $0.count >= path.count }.map { Self.dotted(Array($0.prefix(path.count))) })
            let near = nearest(Self.dotted(path), among: known.sorted()) ?? nearestList(path)
            report(path, "is not a known key" + (near.map { "; did you mean \($0)?" } ?? ""))
        }
        let known = Set(asked.map(Self.variable))
        let sections = Set(asked.filter { $0.count > 1 }.map { "HEARTH_\($0[0].uppercased())_" })
        for name in environment.keys.sorted() where !known.contains(name) {
            guard sections.contains(where: name.hasPrefix) else { continue }
            let near = nearest(name, among: Array(known))
            let message = "is not a known setting" + (near.map { "; did you mean \($0)?" } ?? "")
            problems.append(.init(line: nil, key: name, message: message, file: "environment"))
        }
    }

    /// `[[sensor]]` where a file may have no list of that name yet.
    private func nearestList(_ path: [String]) -> String? {
        guard path.count > 1, Int(path[1]) != nil else { return nil }
        if path.count == 2 { return nearest(path[0], among: ["sensors", "pumps"]).map { "[[\($0)]]" } }
        return switch path[0] {
        case "sensors" where Self.keysOfPumps.contains(path[2]): "[[pumps]]"
        case "pumps" where Self.keysOfSensors.contains(path[2]): "[[sensors]]"
        default: nil
        }
    }

    private static let keysOfPumps = [
        "command", "on", "off", "state", "device", "available", "power", "target_command", "mode",
    ]
    private static let keysOfSensors = [
        "topic", "value", "time", "unit", "measure", "retained", "stale_after", "discard",
    ]

    // MARK: Plumbing

    private mutating func value<Value>(
        _ path: [String], _ expected: String, fromFile: (TOMLValue) -> Value?, fromText: (String) -> Value?
    ) -> Value? {
        asked.insert(path)
        if let text = environment[Self.variable(path)] {
            if let value = fromText(text) { return value }
            report(path, "must be \(expected), not \"\(text)\"")
            return nil
        }
        guard let node = node(path) else { return nil }
        if let value = fromFile(node) { return value }
        report(path, "must be \(expected)")
        return nil
    }

    /// A number in the path is an element of an array.
    private func node(_ path: [String]) -> TOMLValue? {
        var current = table?.tomlValue
        for name in path {
            if let array = current?.array {
                current = Int(name).flatMap { array.indices.contains($0) ? array[$0].tomlValue : nil }
            } else {
                current = current?.table?[name]?.tomlValue
            }
        }
        return path.isEmpty ? nil : current
    }

    private func collect(_ table: TOMLTable?, at path: [String], into unknown: inout [[String]]) {
        for key in table?.keys ?? [] {
            let here = path + [key]
            if let inner = table?[key]?.table {
                collectBelow(inner, at: here, into: &unknown)
            } else if let array = table?[key]?.array, !asked.contains(here), array.contains(where: { $0.table != nil })
            {
                for index in array.indices {
                    guard let inner = array[index].table else { continue }
                    collectBelow(inner, at: here + ["\(index)"], into: &unknown)
                }
            } else if !asked.contains(here) {
                unknown.append(here)
            }
        }
    }

    private func collectBelow(_ inner: TOMLTable, at here: [String], into unknown: inout [[String]]) {
        let isSection = asked.contains { $0.count > here.count && Array($0.prefix(here.count)) == here }
        if isSection { collect(inner, at: here, into: &unknown) } else { unknown.append(here) }
    }

    static func dotted(_ path: [String]) -> String {
        path.map { $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" } ? $0 : "\"\($0)\"" }
            .joined(separator: ".")
    }

    static func variable(_ path: [String]) -> String {
        "HEARTH_" + path.map { $0.uppercased() }.joined(separator: "_")
    }
}
