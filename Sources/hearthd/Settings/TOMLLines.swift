/// Where each key of a TOML text stands, so that an error can name the line. The TOML library reports positions of
/// syntax errors only.
///
/// It understands `[section]`, `[section."quoted name"]`, `[[list]]` (whose tables are `list`, `0` and so on) and
/// `key = …` at the start of a line; a key it does not find
/// (inside an inline table, say) simply has no line.
struct TOMLLines {
    private var lines: [[String]: Int] = [:]  // Own names: a wrong one costs a line number.

    init(_ text: String) {
        var section: [String] = []
        var lists: [[String]: Int] = [:]  // Own names: a wrong one costs a line number.
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            if trimmed.hasPrefix("[[") {
                let list = Self.keys(trimmed.dropFirst(2).prefix { $0 != "]" })
                lists[list, default: -1] += 1
                section = list + ["\(lists[list, default: 0])"]
                lines[section] = index + 1
            } else if trimmed.hasPrefix("[") {
                section = Self.keys(trimmed.dropFirst().prefix { $0 != "]" })
                // `[sensors.rooms]` belongs to the last of the list.
                if let first = section.first, let last = lists[[first]] { section.insert("\(last)", at: 1) }
                lines[section] = lines[section] ?? index + 1
            } else if !trimmed.hasPrefix("#"), let equals = trimmed.firstIndex(of: "=") {
                let path = section + Self.keys(trimmed[..<equals])
                lines[path] = lines[path] ?? index + 1
            }
        }
    }

    /// The line of a key, or else of the nearest section around it.
    subscript(path: [String]) -> Int? {
        var path = path
        while !path.isEmpty {
            if let line = lines[path] { return line }
            path.removeLast()
        }
        return nil
    }

    /// `rooms."living room".on_below` → three keys.
    private static func keys(_ text: Substring) -> [String] {
        var keys: [String] = []
        var current = ""
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { current.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "." {
                keys.append(current)
                current = ""
            } else if character != " ", character != "\t" {
                current.append(character)
            }
        }
        return keys + [current]
    }
}

/// The candidate nearest to a misspelt word, if one is near enough to be worth suggesting.
func nearest(_ word: String, among candidates: [String]) -> String? {
    let scored = candidates.map { (distance(Array(word.utf8), Array($0.utf8)), $0) }
    guard let best = scored.min(by: <), best.0 <= max(2, word.utf8.count / 4) else { return nil }
    return best.1
}

/// Levenshtein distance, two rows.
private func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var current = [i + 1]
        for (j, y) in b.enumerated() {
            current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
        }
        previous = current
    }
    return previous[b.count]
}
