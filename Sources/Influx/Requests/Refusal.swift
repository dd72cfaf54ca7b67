/// What a sentence of the database says about the lines of a request.
///
/// Only texts that are known to be about single lines make them refusals; a full disk, a limit or a quota comes as
/// "partial write" too, and says nothing about the lines (InfluxDB 1.x: tsdb/shard.go, coordinator/points_writer.go;
/// a full disk: influxdata/docs.influxdata.com-ARCHIVE#2368).
public enum Refusal: String, Sendable, CaseIterable {
    /// The line cannot be read, by this server or any other of its kind.
    case unparsable
    /// The point is older than its bucket keeps points.
    case beyondRetention = "beyond_retention"
    /// The server has the field with another type already. Somebody has to mend that; then the line is accepted.
    case typeConflict = "type_conflict"
    /// The line alone is larger than the server takes.
    case tooLarge = "too_large"
    /// The point has no line protocol form.
    case unencodable
    /// The server takes other lines and not this one, for a reason in words that are not known here. It may take it later.
    case unclear

    /// Whether no later attempt can succeed.
    public var isFinal: Bool { self != .typeConflict && self != .unclear }

    /// nil when the sentence is about anything else than single lines.
    init?(message: String) {
        // A line that cannot be read is quoted, whatever is in it, so this comes first and by its place.
        if Self.starts(Self.withoutPreface(message), with: "unable to parse") {
            self = .unparsable
            return
        }
        let text = Self.withoutQuotes(Self.withoutSeries(message))
        if Self.isAboutTheServer(text) { return nil }
        if text.contains("field type conflict") || text.contains("invalid column type") {
            self = .typeConflict
        } else if text.contains("retention"), !text.contains("not found"),
            ["beyond", "outside", "older than", "violat", "rejected"].contains(where: text.contains)
        {
            self = .beyondRetention
        } else if [
            "unable to parse", "failed to parse", "invalid line protocol", "max key length exceeded",
            "parsing failed", "could not parse",
        ].contains(where: text.contains) {
            self = .unparsable
        } else {
            return nil
        }
    }

    /// Whether a sentence that is not known to be about lines is known to be about the server or the whole request.
    static func isAboutMore(_ message: String) -> Bool {
        let text = withoutQuotes(withoutSeries(message))
        return isAboutTheServer(text)
            || ["organization", "orgid", "precision", "database is required"].contains { text.contains($0) }
    }

    /// Words of a server that cannot take anything now, or not so much; they win over all others in a sentence.
    private static func isAboutTheServer(_ text: String) -> Bool {
        [
            "no space left", "limit", "quota", "timeout", "timed out", "disk", "read-only", "read only", "permission",
            "too many", "unavailable", "input/output error", "i/o error", "cannot allocate",
        ].contains { text.contains($0) }
    }

    /// What servers put before the reason.
    private static func withoutPreface(_ message: String) -> Substring {
        var rest = message[...]
        let prefaces = [
            "failure writing points to database: ", "unexpected error writing points to database: ",
            "partial write: ", "write failed: ", "engine: ", "unable to parse points: ",
        ]
        var isPrefaced = true
        while isPrefaced {
            isPrefaced = false
            for preface in prefaces where starts(rest, with: preface) {
                rest = rest.dropFirst(preface.count)
                isPrefaced = true
            }
        }
        return rest
    }

    private static func starts(_ text: Substring, with start: String) -> Bool {
        text.utf8.starts(with: start.utf8) || text.lowercased().hasPrefix(start)
    }

    /// Without words like `raw_temperature,home=home1,room=disk\ 1`: 2.7 names the oldest and the newest point beyond the
    /// retention so, without quotes, and a room's name would speak for the server (influxdata/docs-v2, troubleshoot writes).
    private static func withoutSeries(_ message: String) -> String {
        var kept: [UInt8] = []
        var word: [UInt8] = []
        var isEscaped = false
        for byte in Array(message.utf8) + [UInt8(ascii: " ")] {
            guard byte == UInt8(ascii: " "), !isEscaped else {
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                word.append(byte)
                continue
            }
            let comma = word.firstIndex(of: UInt8(ascii: ","))
            let isSeries = comma.map { word[$0...].contains(UInt8(ascii: "=")) } ?? false
            if !isSeries { kept += word + [byte] }
            word = []
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// In lower case, and without what stands between quotes: names and values, which others choose.
    private static func withoutQuotes(_ message: String) -> String {
        var kept: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in message.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = isQuoted
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted {
                kept.append(byte)
            }
        }
        return String(decoding: kept, as: UTF8.self).lowercased()
    }
}
