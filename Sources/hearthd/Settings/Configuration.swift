import Heating
import Journal
import MQTT

/// Everything `hearthd.toml` says, checked: a value of this type can be run.
///
/// Read by ``ConfigurationReader``; every key has CONTRACT's default except `home`. Secrets are never in here, only
/// the names of the files that hold them.
struct Configuration: Equatable, Sendable {
    var home: HomeID
    /// The zone of naive sensor timestamps: `UTC`, an offset such as `+01:00`, or an IANA name. The gateway hands it on
    /// with each reading; it never rewrites the sensor's bytes.
    var sensorTimeZone: String
    /// In which people write and read temperatures; in here all are in °C.
    var temperatureUnit: TemperatureUnit
    var local: Broker
    var cloud: Broker
    /// False: there is no cloud. Readings are kept for local charts and do not wait for anybody.
    var isCloudEnabled: Bool
    var journal: JournalFile
    var uplink: Uplink
    var thermostat: Thermostat.Settings
    /// Settings of the rooms named in the file; every other room runs on ``thermostat``.
    var rooms: [Room: Thermostat.Settings]
    /// Settings that people gave to rooms that are not in the file.
    var unlisted: [Room: Thermostat.Settings] = [:]
    /// What people call rooms, where that is not their topic.
    var names: [Room: String] = [:]
    /// Where rooms stand in lists; the others follow by name.
    var order: [Room: Int] = [:]
    /// Which of the settings that people may change are written in the file.
    var written = Written()
    /// Where these are kept.
    var settingsFile: String
    /// How sensors and pumps speak that are not the black box.
    var devices: Devices
    var controlSocket: String
    /// A room that is not in the file leaves when it has sent nothing for so long.
    var forgetAfter: Duration
    var homeAssistant: HomeAssistant
    var logLevel: String

    /// How to reach one MQTT broker.
    struct Broker: Equatable, Sendable {
        var host: String
        var port: Int
        var username: String?
        var passwordFile: String?
        var tls: TLS?
        var version = ProtocolPolicy.auto

        var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Files of a TLS link. The peer must chain to `ca`; `certificate` and `key` identify this home to it.
    struct TLS: Equatable, Sendable {
        var ca: String
        var certificate: String?
        var key: String?
    }

    struct JournalFile: Equatable, Sendable {
        var path: String
        /// Bytes on disk, database and write-ahead log together.
        var maxSize: Int64
        var whenFull: WhenFull
        /// How long a batch may wait for company before its fsync; its acknowledgements wait with it.
        var commitInterval: Duration
        /// How long forwarded records stay readable.
        var history: Duration
    }

    struct Uplink: Equatable, Sendable {
        var confirm: UplinkState.Confirmation
        /// Readings per second while a backlog drains; 0 is unlimited.
        var maxRate: Int
    }

    struct HomeAssistant: Equatable, Sendable {
        var discovery: Bool
        var prefix: String
        /// Where a browser finds hearth-web; nil: nobody said.
        var page: String?
    }

    /// The settings a room runs on.
    func settings(for room: Room) -> Thermostat.Settings {
        rooms[room] ?? unlisted[room] ?? thermostat
    }

    /// Where the file names a room, for who wants to take it out.
    func places(of room: Room) -> [String] {
        let hasTable = written.rooms[room] != nil || devices.rooms[room] != nil
        let table = hasTable ? "[rooms.\(JSON.string(room.name).serialized())]" : nil
        let pump = devices.pump(of: room)
        return [table, pump.map { "rooms of [[pumps]] \(JSON.string($0.name).serialized())" }].compactMap(\.self)
    }

    /// What people call it.
    func name(of room: Room) -> String { names[room] ?? room.displayName }

    struct Written: Equatable, Sendable {
        var house: Set<SettingKey> = []
        var rooms: [Room: Set<SettingKey>] = [:]
        /// `min_on` and `min_off`: of the house, and of rooms in the file, where the house's count too.
        var houseTimes: Set<String> = []  // Own names: keys.
        var times: [Room: Set<String>] = [:]
    }
}
