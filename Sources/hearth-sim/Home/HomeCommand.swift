import ArgumentParser
import Glibc
import MQTT
import Machine

/// `hearth-sim home`
struct HomeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "home",
        abstract: "Simulated rooms with the real sensor's behaviour, and heat pumps that obey.",
        discussion: """
            Honours the sensor container's environment: MQTT_HOST, MQTT_PORT, and SENSOR_TOPIC_DATA with \
            SENSOR_TOPIC_STATUS, which make the process one room on exactly those topics.
            """)

    @OptionGroup var broker: HomeBrokerOptions

    @Option(help: "Rooms, separated by commas. (default: office,kitchen,bedroom,bathroom,living-room)")
    var rooms: String?

    @Option(help: "The same seed makes the same house and the same outliers.")
    var seed: UInt64 = 1

    @Option(help: "Real seconds between two readings of a room.")
    var interval = 1.0

    @Option(help: "Simulated seconds per real second.")
    var speed = 60.0

    @Option(help: "Share of readings that are outliers of exactly 100.")
    var outliers = 0.2

    @Flag(help: "Print the rooms once per second.")
    var verbose = false

    func validate() throws {
        try checkPace(interval: interval, speed: speed)
        guard (0...1).contains(outliers) else { throw ValidationError("--outliers must be between 0 and 1") }
    }

    func run() throws {
        let settings = try broker.settings(rooms: rooms, variables: HomeSettings.variables)
        StopSignal.prepare()
        let snapshot = SharedHomeSnapshot()
        let connection = connect(settings, snapshot: snapshot)
        try connection.start()
        while !StopSignal.wait(seconds: 1) {
            if verbose { tell(snapshot.line) }
        }
        connection.stop(within: 2_000_000_000)
    }

    private func connect(_ settings: HomeSettings, snapshot: SharedHomeSnapshot) -> Connection {
        let clock = SensorClock(start: (Clock.wallNanoseconds / 1_000), speed: speed)
        let rooms = settings.sensors.map {
            SensorRoom(
                name: $0.name, dataTopic: $0.dataTopic, statusTopic: $0.statusTopic, clock: clock, seed: seed,
                outlierShare: outliers)
        }
        let interval = Int64(interval * 1e9)
        let start = Clock.bootNanoseconds
        var connection = ConnectionSettings(
            host: settings.host, port: settings.port, clientID: clientID("home"))
        connection.cleanStart = true
        return Connection(connection, name: "home") {
            HomeSession(rooms: rooms, interval: interval, start: start, snapshot: snapshot)
        }
    }
}
