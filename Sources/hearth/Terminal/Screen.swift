import Glibc

/// The terminal's alternate screen while this object lives; what was there before comes back when it goes.
final class Screen {
    private let output: Output

    init(_ output: Output) throws(Problem) {
        self.output = output
        try output.write(Self.entering)
    }

    deinit {
        try? output.write(Self.leaving)
    }

    /// Replaces the picture. Lines are overwritten in place, not cleared first, so that nothing flickers; what does
    /// not fit the window is left out and said.
    func show(_ lines: [String], footer: String) throws(Problem) {
        let rows = output.size.rows ?? 24
        var shown = lines
        var note = footer
        if lines.count > rows - 1 {
            shown = Array(lines.prefix(max(rows - 1, 0)))
            note = "\(lines.count - shown.count) more lines: make the window taller. " + footer
        }
        note = wrapped(note, width: output.size.columns).first ?? ""
        let picture = shown.map { Self.eraseRow + $0 + "\r\n" }.joined()
        try output.write(Self.home + picture + Self.eraseBelow + Self.at(row: rows) + Self.eraseRow + note)
    }

    /// Gives the terminal back, stops the process as Ctrl-Z would have, and takes the screen again afterwards.
    func suspend() throws(Problem) {
        try output.write(Self.leaving)
        kill(getpid(), SIGSTOP)
        try output.write(Self.entering)
    }

    // https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: DECSET 1049 alternate screen, 25 cursor, 7 wrapping
    private static let entering = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
    private static let leaving = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    private static let home = "\u{1B}[H"
    /// Before the text: after the last column the cursor still stands on it, and would erase what was written there.
    private static let eraseRow = "\u{1B}[K"
    private static let eraseBelow = "\u{1B}[J"
    private static func at(row: Int) -> String { "\u{1B}[\(row);1H" }
}
