import Heating

/// The sentence in an InfluxDB error answer.
enum ServerMessage {
    private static let limit = 1024

    /// `error` of API v1, with the first line's trouble of v3's list, `message` of API v2, else the header v1 repeats it in, else the start of the body.
    static func text(status: Int, body: [UInt8], headers: [String: String]) -> String {
        if (300...399).contains(status), let location = headers["location"] {
            return "HTTP \(status): it is at \(shortened(location)). Set INFLUX_URL to the part before /api or /write"
        }
        if let json = try? JSON.parse(body) {
            // Version 3 says of what kind the trouble is, and in a list what it is line by line.
            if let kind = json["error"]?.string, let line = (json["data"]?[0] ?? json["data"])?["error_message"]?.string
            {
                return shortened("\(kind): \(line)")
            }
            if let text = json["error"]?.string ?? json["message"]?.string { return shortened(text) }
        }
        if let text = headers["x-influxdb-error"] { return shortened(text) }
        let text = String(decoding: body.prefix(limit), as: UTF8.self)
        return text.isEmpty ? "HTTP \(status)" : "HTTP \(status): \(shortened(text))"
    }

    /// A refused request quotes its lines, up to all of them. What a person needs is at both ends: the kind of
    /// the error at the start, `dropped=N` at the end.
    private static func shortened(_ text: String) -> String {
        if text.utf8.count <= limit { return text }
        return "\(text.prefix(limit - 200)) ... \(text.suffix(100))"
    }
}
