extension String {
    /// A word in braces, `{targt}`. No JSON has one.
    var placeholder: String? {
        for part in utf8.split(separator: UInt8(ascii: "{")).dropFirst(utf8.first == UInt8(ascii: "{") ? 0 : 1) {
            let word = part.prefix { $0 | 0x20 &- UInt8(ascii: "a") < 26 || $0 == UInt8(ascii: "_") }
            guard !word.isEmpty, part.dropFirst(word.count).first == UInt8(ascii: "}") else { continue }
            return "{\(String(Substring(word)))}"
        }
        return nil
    }

    /// Every `mark`, which is ASCII, replaced. By bytes: beside a combining mark a brace is no `Character` of its own.
    func replacing(_ mark: StaticString, with text: String) -> String {
        let bytes = Array(utf8)
        let wanted = Array(mark.description.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: wanted) {
                result += text.utf8
                index += wanted.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Short words of devices: `ON`, `online`, `{"state": "online"}`.
enum DeviceText {
    static func read(_ payload: some Collection<UInt8>, at path: JSONPath) -> String? {
        guard payload.count <= Reading.payloadLimit else { return nil }
        if path.isWhole {
            guard let text = String(validating: payload, as: UTF8.self) else { return nil }
            return String(DecimalReading.trimmed(Substring(text)))
        }
        let field = payload.withBytes { bytes in try? path.field(in: bytes) }
        switch field {
        case .text(let text)?: return String(DecimalReading.trimmed(Substring(text)))
        case .number(let text)?: return text
        case .bool(let value)?: return value ? "true" : "false"
        case .null?, .nonFinite?, .structure?, nil: return nil
        }
    }

    /// The same word, whatever its case and the quotes around it.
    static func means(_ text: String, _ word: String) -> Bool {
        bare(text).lowercased().utf8.elementsEqual(word.lowercased().utf8)
    }

    /// What the usual words for on and off mean; nil for every other one.
    static func usual(_ text: String) -> Bool? {
        switch bare(text).lowercased() {
        case "on", "true", "1": true
        case "off", "false", "0": false
        default: nil
        }
    }

    /// Without the quotes around it.
    static func bare(_ text: String) -> Substring {
        let text = Substring(text)
        let isQuoted = text.utf8.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        return isQuoted ? text.dropFirst().dropLast() : text
    }
}
