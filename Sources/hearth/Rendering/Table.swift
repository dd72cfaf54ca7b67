/// A table of short texts in columns. Cells that do not fit wrap inside their column, so nothing is cut off.
struct Table {
    struct Cell {
        var text: String
        var colour: Style.Colour

        /// `text` is untrusted: it is made printable here, once, for every table.
        init(_ text: some StringProtocol, _ colour: Style.Colour = .plain) {
            self.init(printable: hearth.printable(text), colour)
        }

        /// `printable` is safe already.
        init(printable: String, _ colour: Style.Colour = .plain) {
            text = printable
            self.colour = colour
        }
    }

    struct Column {
        var title: String
        var alignsRight = false
        /// The most columns this one takes; the last column of a table takes what is left instead.
        var widest = 24
    }

    var columns: [Column]
    var rows: [[Cell]] = []

    /// The finished lines, title first, none longer than `width` unless `width` is smaller than the columns' needs.
    func lines(width: Int, style: Style) -> [String] {
        let widths = columnWidths(width: width)
        let title = line(columns.map(\.title), widths: widths, paint: { text, _ in style.paint(text, .faint) })
        return [title]
            + rows.flatMap { row in
                let cells = zip(row, widths).map { wrapped($0.text, width: $1) }
                let height = cells.map(\.count).max() ?? 0
                return (0..<height).map { index in
                    line(cells.map { index < $0.count ? $0[index] : "" }, widths: widths) { text, column in
                        style.paint(text, row[column].colour)
                    }
                }
            }
    }

    private func columnWidths(width: Int) -> [Int] {
        var widths = columns.indices.map { index in
            let cells = rows.map { index < $0.count ? columnCount($0[index].text) : 0 }
            return min(max(cells.max() ?? 0, columnCount(columns[index].title)), columns[index].widest)
        }
        guard let last = widths.indices.last else { return widths }
        widths[last] = 12
        let available = width - gap.count * last
        while widths.reduce(0, +) > available, let widest = widths.dropLast().max(), widest > 8,
            let index = widths.firstIndex(of: widest)
        {
            widths[index] -= 1
        }
        widths[last] = max(12, available - widths.dropLast().reduce(0, +))
        return widths
    }

    private let gap = "  "

    private func line(_ texts: [String], widths: [Int], paint: (String, Int) -> String) -> String {
        var result = ""
        var pending = ""  // spaces owed before the next text, so that no line ends in spaces
        for (index, text) in texts.enumerated() {
            let free = max(0, widths[index] - columnCount(text))
            if columns[index].alignsRight { pending += String(repeating: " ", count: free) }
            if !text.isEmpty {
                result += pending + paint(text, index)
                pending = ""
            }
            if !columns[index].alignsRight { pending += String(repeating: " ", count: free) }
            pending += gap
        }
        return result
    }

    init(_ columns: [Column]) {
        self.columns = columns
    }
}
