import ArgumentParser
import Foundation
import Heating
import MQTT

struct ActuateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actuate",
        abstract: "P3: decides by clean-data with the thermostat's own code, and commands homes that obey the cloud.",
        discussion:
            "A home obeys where its thermostat.authority is \"cloud\", and decides for itself when this is away.")

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var eventLog: EventLogOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var log: LogOptions

    @Option("ACTUATE_ON_BELOW", flag: "on-below", .number, default: "20", help: "Strictly below, in °C: start")
    var onBelow: Setting<Double>

    @Option("ACTUATE_OFF_ABOVE", flag: "off-above", .number, default: "25", help: "Strictly above, in °C: stop")
    var offAbove: Setting<Double>

    @Option(
        "ACTUATE_REFRESH", flag: "refresh", .short(), default: "60s",
        help: "How often a command is repeated; it counts three times as long")
    var refresh: Setting<Duration>

    @Option(
        "ACTUATE_MAX_AGE", flag: "max-age", .short(), default: "60s",
        help: "Readings that the log has had for longer are history and move no pump")
    var maximumAge: Setting<Duration>

    @Option(
        "ACTUATE_SLOW", flag: "slow", .short(from: 0), default: "0s",
        help: "A pause after each command, to try a slow way to the homes")
    var slow: Setting<Duration>

    func run() async throws {
        CloudBuilder.endsInGoodOrder()
        let builder = CloudBuilder(logger: try CloudBuilder.logger(log), logOptions: eventLog)
        var connection = try broker.settings(role: "actuate")
        // No session is kept, so a new id each time does, and nobody can guess it and take the connection over.
        if broker.clientID.given == nil { connection.clientID = "hearth-actuate-\(UUID().uuidString)" }
        connection.cleanStart = true
        connection.sessionExpiry = 0
        let service = ActuatorService(
            log: try builder.eventLog(role: "actuate"), topics: eventLog.topics, broker: connection,
            settings: try thermostat(), maximumAge: try maximumAge.value,
            pause: try slow.value, instance: eventLog.kafka.instance.given,
            logger: builder.logger)
        try await builder.run(service, http: http)
    }

    private func thermostat() throws -> Thermostat.Settings {
        var settings = Thermostat.Settings()
        settings.onBelow = try onBelow.value
        settings.offAbove = try offAbove.value
        settings.refresh = try refresh.value
        // A room without readings is its home's business.
        settings.onStale = .hold
        if let problem = settings.problems.first { throw SettingError(problem) }
        return settings
    }
}
