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
                let list = Self.keys(trimmed.dropFirst(2), until: "]") ?? []
                lists[list, default: -1] += 1
                section = list + ["\(lists[list, default: 0])"]
                lines[section] = index + 1
            } else if trimmed.hasPrefix("[") {
                section = Self.keys(trimmed.dropFirst(), until: "]") ?? []
                // `[sensors.rooms]` belongs to the last of the list.
                if let first = section.first, let last = lists[[first]] { section.insert("\(last)", at: 1) }
                lines[section] = lines[section] ?? index + 1
            } else if !trimmed.hasPrefix("#"), let keys = Self.keys(trimmed, until: "=") {
                let path = section + keys
                lines[path] = lines[path] ?? index + 1
            }
        }
    }

    /// The line of a key, or else of the nearest section around it, or of the first key below it.
    subscript(path: [String]) -> Int? {
        var around = path
        while !around.isEmpty {
            if let line = lines[around] { return line }
            around.removeLast()
        }
        return lines.filter { $0.key.starts(with: path) }.map(\.value).min()
    }

    /// `rooms."living room".on_below` → three keys; nil where the end does not come.
    private static func keys(_ text: Substring, until end: Character) -> [String]? {
        var keys: [String] = []
        var current = ""
        var quote: Character?
        var isEscaped = false
        for character in text {
            if let open = quote {
                if isEscaped || (character != open && (character != "\\" || open == "'")) {
                    current.append(character)
                    isEscaped = false
                } else if character == open {
                    quote = nil
                } else {
                    isEscaped = true
                }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == end {
                return keys + [current]
            } else if character == "." {
                keys.append(current)
                current = ""
            } else if character != " ", character != "\t" {
                current.append(character)
            }
        }
        return nil
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
