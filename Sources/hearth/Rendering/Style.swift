/// Colour, or its absence. The same renderer serves terminals, pipes and tests: only this value differs.
struct Style: Sendable {
    enum Colour: String, Sendable {
        // SGR parameters of ECMA-48 8.3.117; the eight basic colours follow the reader's light or dark theme.
        case plain = ""
        case bold = "1"
        case faint = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    /// Whether escape sequences may be written at all.
    var usesColour: Bool

    static let plain = Style(usesColour: false)
    static let coloured = Style(usesColour: true)

    func paint(_ text: String, _ colour: Colour) -> String {
        guard usesColour, colour != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}
