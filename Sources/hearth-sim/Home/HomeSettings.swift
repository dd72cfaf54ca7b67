/// What `hearth-sim home` simulates, after flags and environment have been put together.
struct HomeSettings: Equatable, Sendable {
    struct Sensor: Equatable, Sendable {
        var name: String
        var dataTopic: String
        var statusTopic: String
    }

    struct Conflict: Error, CustomStringConvertible, Equatable {
        let description: String
    }

    /// What was said on the command line; nil where nothing was said.
    struct Flags: Equatable, Sendable {
        var host: String?
        var port: Int?
        var rooms: [String]?
    }

    /// The sensor container's environment.
    static let variables = ["MQTT_HOST", "MQTT_PORT", "SENSOR_TOPIC_DATA", "SENSOR_TOPIC_STATUS"]
    static let defaultRooms = ["office", "kitchen", "bedroom", "bathroom", "living-room"]

    var host: String
    var port: Int
    var sensors: [Sensor]

    /// Flags win over the sensor container's environment, which wins over the defaults.
    ///
    /// `SENSOR_TOPIC_DATA` and `SENSOR_TOPIC_STATUS` make the process one single-room container on exactly those
    /// topics; they belong together, and exclude `--rooms`.
    init(flags: Flags, environment: [String: String]) throws(Conflict) {
        // An empty variable counts as unset, as in a compose file with `MQTT_HOST=${MQTT_HOST:-}`.
        let environment = environment.filter { !$0.value.isEmpty }
        host = flags.host ?? environment["MQTT_HOST"] ?? "127.0.0.1"
        let environmentPort = try Self.port(in: environment)
        port = flags.port ?? environmentPort ?? 1883
        guard (1...65_535).contains(port) else {
            throw Conflict(description: "the port must be between 1 and 65535, not \(port)")
        }
        switch (environment["SENSOR_TOPIC_DATA"], environment["SENSOR_TOPIC_STATUS"]) {
        case (nil, nil):
            sensors = try Self.sensors(rooms: flags.rooms ?? Self.defaultRooms)
        case (let data?, let status?):
            guard flags.rooms == nil else {
                throw Conflict(description: "--rooms and SENSOR_TOPIC_DATA exclude each other: unset one of them")
            }
            let name = data.split(separator: "/").dropLast().last.map(String.init) ?? data
            sensors = [Sensor(name: name, dataTopic: data, statusTopic: status)]
        default:
            throw Conflict(description: "SENSOR_TOPIC_DATA and SENSOR_TOPIC_STATUS must be set together")
        }
    }

    private static func port(in environment: [String: String]) throws(Conflict) -> Int? {
        guard let text = environment["MQTT_PORT"] else { return nil }
        guard let port = Int(text) else {
            throw Conflict(description: "MQTT_PORT is not a number: \(text)")
        }
        return port
    }

    private static func sensors(rooms: [String]) throws(Conflict) -> [Sensor] {
        guard !rooms.isEmpty, Set(rooms).count == rooms.count else {
            throw Conflict(description: "--rooms needs one or more different names")
        }
        var sensors: [Sensor] = []
        for room in rooms {
            guard !room.isEmpty, !room.contains(where: { "/+#\0".contains($0) }) else {
                throw Conflict(description: "a room must be a non-empty topic level without / + #: \"\(room)\"")
            }
            sensors.append(
                Sensor(name: room, dataTopic: "\(room)/temperature", statusTopic: "\(room)/heatpump"))
        }
        return sensors
    }
}
