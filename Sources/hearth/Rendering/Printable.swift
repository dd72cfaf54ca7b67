/// Text from outside (room names, topics, error texts) made safe and measurable for a terminal.

/// `text` with every character that could steer a terminal or reorder a line written as an escape.
///
/// Escaped are control characters (C0, DEL, C1), format characters (bidirectional overrides, zero-width
/// joiners, byte order marks) and whatever else is invisible, spaces other than U+0020, line and paragraph
/// separators, private-use and unassigned characters. A backslash is doubled, so that an escape can be told from a
/// name that merely looks like one. What terminals do with raw control characters:
/// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html; what bidirectional ones do to a reader:
/// https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing.
func printable(_ text: some StringProtocol) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            if isUnsafeOnTerminal(scalar) {
                result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}

/// ``printable(_:)`` for a name: spaces that a reader would not see (leading, trailing, repeated) are escaped too, so
/// that two different names never look alike.
func printableName(_ name: some StringProtocol) -> String {
    let text = printable(name)
    var result = ""
    for index in text.indices {
        let next = text.index(after: index)
        let isSeen = index != text.startIndex && next != text.endIndex && text[next] != " "
        result += text[index] == " " && !isSeen ? "\\u{20}" : String(text[index])
    }
    return result
}

/// The same JSON document in characters that are safe on a terminal: what ``printable(_:)`` would escape becomes
/// `\uXXXX`. Such a character can only stand inside a JSON string (RFC 8259 section 2), where both spellings mean
/// the same.
func printableJSON(_ document: String) -> String {
    var result = ""
    for scalar in document.unicodeScalars {
        if isUnsafeOnTerminal(scalar) {
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func isUnsafeOnTerminal(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    if scalar.properties.isDefaultIgnorableCodePoint { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .spaceSeparator, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        return true
    default: return false
    }
}

/// The number of terminal columns `text` takes. Exact for what ``printable(_:)`` returns in the scripts people
/// name rooms in; terminals disagree about a few emoji.
func columnCount(_ text: some StringProtocol) -> Int {
    text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
}

private func width(of scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    return isWide(scalar) ? 2 : 1
}

/// East Asian Wide and Fullwidth (https://www.unicode.org/reports/tr11/) in whole blocks, and emoji.
private func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
        return true
    default:
        return scalar.properties.isEmojiPresentation
    }
}

/// `text` broken into lines of at most `width` columns, at spaces where possible. Never empty.
func wrapped(_ text: String, width: Int) -> [String] {
    let width = max(width, 2)  // a wide character has to fit
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: true) {
        let gap = line.isEmpty ? 0 : 1
        if columnCount(line) + gap + columnCount(word) <= width {
            line += (line.isEmpty ? "" : " ") + word
            continue
        }
        if !line.isEmpty { lines.append(line) }
        var pieces = chopped(word, width: width)
        line = pieces.removeLast()
        lines += pieces
    }
    if !line.isEmpty || lines.isEmpty { lines.append(line) }
    return lines
}

/// One long word cut into pieces of at most `width` columns. Never empty.
private func chopped(_ word: Substring, width: Int) -> [String] {
    var pieces: [String] = []
    var piece = ""
    var used = 0
    for character in word {
        let needed = columnCount(String(character))
        if used + needed > width, !piece.isEmpty {
            pieces.append(piece)
            piece = ""
            used = 0
        }
        piece.append(character)
        used += needed
    }
    pieces.append(piece)
    return pieces
}

/// `text` followed by spaces up to `width` columns.
func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - columnCount(text)))
}
