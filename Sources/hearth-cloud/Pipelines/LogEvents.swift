import EventLog
import Heating

/// The names of the event log's topics and groups, as configured.
struct LogTopics: Sendable {
    var raw: String
    var clean: String
    var commands: String
    var deadLetter: String { raw + ".dead-letter" }
    /// On Kafka, dead letters that are written by themselves later: no junk takes their place there.
    var held: String { raw + ".held" }
    private let prefix: String

    /// - Parameter prefix: before every name, where others use the cluster too.
    init(raw: String = "raw_sensor_data", clean: String = "clean-data", prefix: String = "") {
        self.prefix = prefix
        (self.raw, self.clean, commands) = (prefix + raw, prefix + clean, prefix + "heatpump_state")
    }

    /// The consumer group of a pipeline.
    func group(_ pipeline: String) -> String { "\(prefix)\(pipeline)-group" }

    var all: [String] { [raw, clean, commands, deadLetter, held] }
}

extension Event {
    /// A reading in the log.
    init(_ reading: Reading, _ measure: Measure = .temperature, of room: Room, _ origin: Origin, topic: String) {
        self.init(
            topic: topic, key: origin.home.name, value: LoggedReading.bytes(of: reading, measure, in: room, origin))
    }
}

/// A command that was given at home, `heatpump_state`.
struct CommandEvent: Equatable, Sendable {
    var home: String
    var room: String
    var timestampText: String
    var isOn: Bool
    var reason: String
    var sequence: Int64?
    var epoch: String?

    init(_ origin: Origin, _ room: Room, _ command: HeatPumpCommand, arrival: Timestamp) {
        home = origin.home.name
        self.room = room.name
        // A command of another controller in the house has no timestamp of ours.
        timestampText = origin.timestamp ?? arrival.description
        isOn = command.isOn
        reason = origin.reason ?? ""
        sequence = origin.sequence
        epoch = origin.epoch
    }

    init?(_ value: some Collection<UInt8>) {
        guard let json = try? JSON.parse(value), let home = json["home"]?.string, HomeID(home) != nil,
            let room = json["room"]?.string, Room(room) != nil, let timestamp = json["timestamp"]?.string,
            let status = json["status"]?.string, status == "0" || status == "1"
        else { return nil }
        self.home = home
        self.room = room
        timestampText = timestamp
        isOn = status == "1"
        reason = json["reason"]?.string ?? ""
        sequence = json["seq"]?.int
        epoch = json["epoch"]?.string
    }

    func event(topic: String) -> Event {
        var members: [(key: String, value: JSON)] = [
            ("home", .string(home)), ("room", .string(room)), ("timestamp", .string(timestampText)),
            ("status", .string(isOn ? "1" : "0")), ("reason", .string(reason)),
        ]
        if let sequence { members.append(("seq", JSON(sequence))) }
        if let epoch { members.append(("epoch", .string(epoch))) }
        return Event(topic: topic, key: home, value: JSON.object(.init(members)).bytes, headers: [])
    }
}
