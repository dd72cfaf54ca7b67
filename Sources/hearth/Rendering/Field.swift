/// A label and one text beside it, wrapped below itself: "Disk      23 GiB of 29 GiB free".
struct Field {
    var label: String
    /// Printable already.
    var text: String
    var colour: Style.Colour

    init(_ label: String, _ text: String, _ colour: Style.Colour = .plain) {
        self.label = label
        self.text = text
        self.colour = colour
    }

    static func lines(_ fields: [Field], width: Int, style: Style) -> [String] {
        let indent = 11
        return fields.flatMap { field in
            wrapped(field.text, width: width - indent).enumerated().map { index, line in
                style.paint(padded(index == 0 ? field.label : "", to: indent), .faint)
                    + style.paint(line, field.colour)
            }
        }
    }
}
