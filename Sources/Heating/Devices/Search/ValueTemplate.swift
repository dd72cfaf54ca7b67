/// The common forms of Home Assistant's `value_template`, which is a language of its own (Jinja): a path and filters that
/// change nothing but the number's form, and what to say where there is no number. Everything else is not understood, and said
/// to be so.
/// https://www.home-assistant.io/docs/configuration/templating/#using-value-templates-with-mqtt
enum ValueTemplate {
    /// Filters that leave the number what it is. `default` stands for a message that has none, which is no reading here.
    private static let harmless = ["float", "int", "round", "string", "is_defined", "default", "trim"]

    /// The path as ``JSONPath`` has it; nil for what is not understood.
    static func path(_ template: String) -> String? {
        var text = Scanner(template)
        text.skipSpaces()
        // `{% if value_json.t is defined %}{{ value_json.t }}{% endif %}`
        let isConditional = text.startsStatement
        let condition = isConditional ? text.statement() : nil
        guard let names = text.expression() else { return nil }
        if isConditional {
            guard var condition, condition.isAsked(about: names), text.ending() else { return nil }
        }
        text.skipSpaces()
        guard text.isAtEnd else { return nil }
        return JSONPath.written(names)
    }

    /// A command's payload for a value: the template with the value in the place of its one expression, `{"mode": "{{ value }}"}`.
    /// - Parameter template: nil: the value alone.
    /// - Returns: nil for what is not understood.
    static func payload(_ template: String?, value: String) -> String? {
        guard let template else { return value }
        let text = Array(template.unicodeScalars)
        func place(_ mark: String, from start: Int) -> Int? {
            let mark = Array(mark.unicodeScalars)
            return (start..<text.count).first { text[$0...].starts(with: mark) }
        }
        guard place("{%", from: 0) == nil, let start = place("{{", from: 0), let end = place("}}", from: start),
            place("{{", from: start + 2) == nil, path(String(String.UnicodeScalarView(text[start..<end + 2]))) == ""
        else { return nil }
        return String(String.UnicodeScalarView(text[..<start])) + value
            + String(String.UnicodeScalarView(text[(end + 2)...]))
    }

    private struct Scanner {
        private var rest: ArraySlice<Unicode.Scalar>

        init(_ text: String) { rest = Array(text.unicodeScalars)[...] }

        var isAtEnd: Bool { rest.isEmpty }

        var startsStatement: Bool { rest.starts(with: "{%".unicodeScalars) }

        mutating func skipSpaces() {
            while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
        }

        mutating func take(_ word: String) -> Bool {
            guard rest.starts(with: word.unicodeScalars) else { return false }
            rest.removeFirst(word.unicodeScalars.count)
            return true
        }

        /// `{{ … }}`, as the names of its path.
        mutating func expression() -> [String]? {
            guard take("{{") else { return nil }
            _ = take("-")
            skipSpaces()
            let brackets = takeOpenings()
            var names: [String] = []
            if take("value_json") {
                guard let found = steps(), !found.isEmpty else { return nil }
                names = found
            } else if !take("value") {
                return nil
            }
            guard filters(ValueTemplate.harmless, closing: brackets), condition(on: names) else { return nil }
            _ = take("-")
            return take("}}") ? names : nil
        }

        /// What stands in `{% … %}`; nil when there is none.
        mutating func statement() -> Scanner? {
            skipSpaces()
            guard take("{%") else { return nil }
            _ = take("-")
            skipSpaces()
            let end = rest.indices.first { rest[$0...].starts(with: "%}".unicodeScalars) }
            guard let end else { return nil }
            var inside = Scanner("")
            inside.rest = rest[..<end]
            if inside.rest.last == "-" { inside.rest = inside.rest.dropLast() }
            rest = rest[end...].dropFirst(2)
            skipSpaces()
            return inside
        }

        /// `if …` that is about the path alone.
        mutating func isAsked(about names: [String]) -> Bool {
            let isAbout = rest.indices.contains { rest[$0...].starts(with: "value".unicodeScalars) }
            return isAbout && rest.starts(with: "if ".unicodeScalars) && condition(on: names) && isAtEnd
        }

        /// `{% endif %}`, before it perhaps `{% else %}` and a constant.
        mutating func ending() -> Bool {
            guard var word = statement() else { return false }
            var last = word.name()
            if last == "else" {
                let isExpression = take("{{")
                guard constant(), !isExpression || take("}}"), var next = statement() else { return false }
                last = next.name()
            }
            return last == "endif"
        }

        mutating func takeOpenings() -> Int {
            var count = 0
            while take("(") {
                count += 1
                skipSpaces()
            }
            return count
        }

        private mutating func name() -> String? {
            let name = rest.prefix { $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil }
            rest = rest.dropFirst(name.count)
            return name.isEmpty ? nil : String(String.UnicodeScalarView(name))
        }

        /// `.a['b']["c"][0]`; nil when it goes wrong.
        mutating func steps() -> [String]? {
            var names: [String] = []
            while true {
                if take(".get(") {
                    // `.get('temperature', 0)`: what stands for none is no reading.
                    guard let name = quoted(), let end = rest.firstIndex(of: ")") else { return nil }
                    names.append(name)
                    rest = rest[end...].dropFirst()
                } else if take(".") {
                    guard let name = name() else { return nil }
                    names.append(name)
                } else if take("[") {
                    skipSpaces()
                    guard let name = quoted() ?? number() else { return nil }
                    names.append(name)
                    skipSpaces()
                    guard take("]") else { return nil }
                } else {
                    return names
                }
            }
        }

        /// `… if value_json.a.b is defined else 0`, which EMS-ESP writes: what stands there while there is nothing to read is no
        /// reading here. The condition may be about the path alone.
        mutating func condition(on names: [String]) -> Bool {
            skipSpaces()
            var ahead = self
            guard ahead.name() == "if" else { return true }
            self = ahead
            while !rest.isEmpty, !rest.starts(with: "}}".unicodeScalars) {
                guard let word = name() else {
                    if quoted() == nil { rest.removeFirst() }
                    continue
                }
                if word == "else" { return constant() }
                guard word == "value_json" else { continue }
                guard let steps = steps(), names.starts(with: steps) else { return false }
            }
            return true
        }

        /// A number, a text or nothing; or what was known before, `states('sensor.t')`, `this.state`.
        private mutating func constant() -> Bool {
            skipSpaces()
            let isKnownBefore = take("this.state") || take("states(") && quoted() != nil && take(")")
            if !isKnownBefore, quoted() == nil {
                _ = take("-")
                guard let word = name() else { return false }
                guard Self.isNumber(word) || ["none", "null"].contains(word.lowercased()) else { return false }
                if take("."), !(name().map(Self.isNumber) ?? false) { return false }
            }
            skipSpaces()
            return true
        }

        private static func isNumber(_ word: String) -> Bool { word.utf8.allSatisfy { $0 &- 0x30 <= 9 } }

        private mutating func quoted() -> String? {
            guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
            let inside = rest.dropFirst().prefix { $0 != quote }
            guard rest.count >= inside.count + 2, !inside.contains("\\") else { return nil }
            rest = rest.dropFirst(inside.count + 2)
            return String(String.UnicodeScalarView(inside))
        }

        private mutating func number() -> String? {
            let digits = rest.prefix { $0.value &- 0x30 <= 9 }
            rest = rest.dropFirst(digits.count)
            return digits.isEmpty ? nil : String(String.UnicodeScalarView(digits))
        }

        /// `| float(0) | round(1)`, with the brackets that were opened before the value closed among them.
        mutating func filters(_ known: [String], closing brackets: Int) -> Bool {
            var open = brackets
            while true {
                skipSpaces()
                if take(")") {
                    open -= 1
                    guard open >= 0 else { return false }
                } else if take("|") {
                    skipSpaces()
                    guard let name = name(), known.contains(name) else { return false }
                    guard take("(") else { continue }
                    let inside = rest.prefix { $0 != ")" }
                    guard !inside.contains("("), rest.count > inside.count else { return false }
                    rest = rest.dropFirst(inside.count + 1)
                } else {
                    return open == 0
                }
            }
        }
    }
}
