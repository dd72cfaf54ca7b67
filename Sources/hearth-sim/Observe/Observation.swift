import Compression
import Heating

/// What an observer of a broker writes down: one line per reading or command, the same line at the home broker and
/// at the cloud broker, so that two reports can be compared with `sort` and `comm`.
struct Observation: Equatable, Sendable {
    /// As at home: `office/temperature`.
    var topic: String
    var payload: [UInt8]

    /// Topic, a tab, the payload's exact bytes (`escaped`).
    var line: String { "\(escaped(topic.utf8))\t\(escaped(payload))" }
}

/// Where the observer listens.
enum ObservedBroker: Equatable, Sendable {
    case home
    /// The cloud broker, for one home.
    case cloud(HomeID)

    /// What to subscribe to.
    var filters: [String] {
        switch self {
        case .home: ["+/temperature", "+/heatpump"]
        case .cloud(let home): ["\(home)/+/temperature", "\(home)/+/heatpump", "\(home)/frame"]
        }
    }

    /// The readings and commands in one message: one, or as many as a frame holds.
    func observations(topic: String, payload: [UInt8]) throws(FrameError) -> [Observation] {
        switch self {
        case .home:
            return [Observation(topic: topic, payload: payload)]
        case .cloud(let home):
            let local = String(topic.dropFirst("\(home)/".count))
            guard local == "frame" else { return [Observation(topic: local, payload: payload)] }
            return try Frame.decode(payload, with: .zlib).records.map {
                Observation(topic: $0.topic, payload: $0.payload)
            }
        }
    }
}

/// Counts for the person who watches.
struct ObservedRooms: Equatable, Sendable {
    private(set) var readings = 0
    private(set) var starts = 0
    private(set) var stops = 0
    private(set) var frames = 0
    private(set) var unreadable = 0
    /// Room to the newest value as text.
    private(set) var newest: [String: String] = [:]

    mutating func count(_ observation: Observation) {
        let parts = observation.topic.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return unreadable += 1 }
        switch parts[1] {
        case "temperature":
            readings += 1
            guard let reading = try? Reading(payload: observation.payload) else { return unreadable += 1 }
            // Outliers of exactly 100 would make a poor display.
            if reading.value != 100 { newest[String(parts[0])] = oneDecimal(reading.value) }
        case "heatpump":
            guard let command = try? HeatPumpCommand(payload: observation.payload) else { return unreadable += 1 }
            if command.isOn { starts += 1 } else { stops += 1 }
        default:
            unreadable += 1
        }
    }

    mutating func countFrame() {
        frames += 1
    }

    mutating func countUnreadable() {
        unreadable += 1
    }

    var line: String {
        let rooms = newest.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) °C" }.joined(separator: " · ")
        var text = "\(readings) readings, \(starts) starts, \(stops) stops"
        if frames > 0 { text += ", \(frames) frames" }
        if unreadable > 0 { text += ", \(unreadable) unreadable" }
        return rooms.isEmpty ? text : "\(text) · \(rooms)"
    }
}
