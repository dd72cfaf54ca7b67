import EventLog
import Heating

/// What could not be used, kept with the reason so that a person can look and replay.
struct DeadLetter: Equatable, Sendable {
    /// What the bytes are.
    enum Kind: String, Sendable {
        /// A message or an event, as it came.
        case event
        /// A line for the database, which was made of events that are long past.
        case point
    }

    /// The home, or the source topic where the home is unknown.
    var key: String
    /// The MQTT topic, or `topic[partition]@offset` of the event log.
    var source: String
    var reason: String
    var bytes: [UInt8]
    var kind = Kind.event
    /// Which pipeline made it; nil for ingest.
    var pipeline: String?
    /// The zone of a naive timestamp, and how the home counted the message, where known.
    var properties: [(name: String, value: String)] = []
    /// Bytes it had before it was cut.
    var length: Int
    /// SHA-256 of all of them, in hexadecimal.
    var hash: String

    /// A dead letter beyond this is cut: readings are small, and what is larger is nobody's reading. A cut one cannot be
    /// replayed; its length and hash are kept.
    static let bytesKept = 4096
    private static let keyKept = 256
    private static let textKept = 1024

    /// - Parameter isWhole: not cut, because it is written by itself later; it has been in the log before.
    init(
        key: String, source: String, reason: String, bytes: [UInt8], kind: Kind = .event, pipeline: String? = nil,
        properties: [(name: String, value: String)] = [], isWhole: Bool = false
    ) {
        self.key = key
        self.source = source
        self.reason = reason
        self.bytes = isWhole ? bytes : Array(bytes.prefix(Self.bytesKept))
        self.kind = kind
        self.pipeline = pipeline
        self.properties = properties
        length = bytes.count
        hash = SHA256.hexadecimal(bytes)
    }

    static func == (left: DeadLetter, right: DeadLetter) -> Bool { left.event(topic: "") == right.event(topic: "") }

    /// Whether less is kept than there was.
    var isCut: Bool { length > bytes.count }

    /// As it can always be appended: a log refuses events of a megabyte, and one hostile message must not stop it.
    func event(topic: String) -> Event {
        var headers = [("source", source), ("reason", reason), ("kind", kind.rawValue), ("length", "\(length)")]
        headers.append(("sha256", hash))
        if let pipeline { headers.append(("pipeline", pipeline)) }
        headers += properties.map { ("property-" + $0.name, $0.value) }
        return Event(
            topic: topic, key: Self.cut(key, Self.keyKept), value: bytes,
            headers: headers.map { .init(name: $0.0, value: Array(Self.cut($0.1, Self.textKept).utf8)) })
    }

    /// The same without its bytes, for a log that refuses even a small event.
    var shortened: DeadLetter {
        var letter = self
        letter.bytes = []
        letter.key = Self.cut(key, 64)
        letter.source = Self.cut(source, 128)
        letter.reason = Self.cut(reason, 128)
        letter.properties = []
        return letter
    }

    /// Reads what ``event(topic:)`` wrote, and dead letters of earlier versions; nil for anything else.
    init?(_ event: Event) {
        guard let value = event.value else { return nil }
        func header(_ name: String) -> String? {
            event.headers.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
        }
        guard let reason = header("reason") else { return nil }
        key = event.key ?? ""
        source = header("source") ?? ""
        self.reason = reason
        bytes = Array(value)
        kind = header("kind").flatMap(Kind.init) ?? .event
        pipeline = header("pipeline")
        length = header("length").flatMap { Int($0) } ?? bytes.count
        hash = header("sha256") ?? SHA256.hexadecimal(bytes)
        properties = event.headers.filter { $0.name.hasPrefix("property-") }.map {
            (String($0.name.dropFirst("property-".count)), String(decoding: $0.value, as: UTF8.self))
        }
    }

    /// The reason without what follows its first colon: few, so that they can be counted by it.
    var reasonClass: String {
        let parts = reason.split(separator: ":", maxSplits: 2).map { $0.drop { $0 == " " } }
        // A pipeline's reasons begin with its name.
        let isPipelines = pipeline != nil || (parts.first?.hasPrefix("p") == true && parts.count > 1)
        return String(isPipelines && parts.count > 1 ? parts[1] : parts.first ?? "")
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    }
}
