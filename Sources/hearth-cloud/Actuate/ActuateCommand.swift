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

    @Option(name: .customLong("on-below"), help: "Strictly below, in °C: start (ACTUATE_ON_BELOW).")
    var onBelow = Variable.text("ACTUATE_ON_BELOW", "20")

    @Option(name: .customLong("off-above"), help: "Strictly above, in °C: stop (ACTUATE_OFF_ABOVE).")
    var offAbove = Variable.text("ACTUATE_OFF_ABOVE", "25")

    @Option(help: "How often a command is repeated; it counts three times as long (ACTUATE_REFRESH).")
    var refresh = Variable.text("ACTUATE_REFRESH", "60s")

    @Option(
        name: .customLong("max-age"),
        help: "Readings that the log has had for longer are history and move no pump (ACTUATE_MAX_AGE).")
    var maximumAge = Variable.text("ACTUATE_MAX_AGE", "60s")

    @Option(help: "A pause after each command, to try a slow way to the homes (ACTUATE_SLOW).")
    var slow = Variable.text("ACTUATE_SLOW", "0s")

    func run() async throws {
        CloudBuilder.endsInGoodOrder()
        let builder = CloudBuilder(logger: try CloudBuilder.logger(log), logOptions: eventLog)
        var connection = try broker.settings(role: "actuate")
        // No session is kept, so a new id each time does, and nobody can guess it and take the connection over.
        if broker.clientID == nil { connection.clientID = "hearth-actuate-\(UUID().uuidString)" }
        connection.cleanStart = true
        connection.sessionExpiry = 0
        let service = ActuatorService(
            log: try builder.eventLog(role: "actuate"), topics: eventLog.topics, broker: connection,
            settings: try thermostat(), maximumAge: try Self.duration(maximumAge, "ACTUATE_MAX_AGE"),
            pause: try Self.duration(slow, "ACTUATE_SLOW", from: .zero), instance: eventLog.kafka.instance,
            logger: builder.logger)
        try await builder.run(service, http: http)
    }

    private func thermostat() throws -> Thermostat.Settings {
        var settings = Thermostat.Settings()
        settings.onBelow = try Self.number(onBelow, "ACTUATE_ON_BELOW")
        settings.offAbove = try Self.number(offAbove, "ACTUATE_OFF_ABOVE")
        settings.refresh = try Self.duration(refresh, "ACTUATE_REFRESH")
        // A room without readings is its home's business.
        settings.onStale = .hold
        if let problem = settings.problems.first { throw SettingError(problem) }
        return settings
    }

    private static func number(_ text: String, _ name: String) throws -> Double {
        guard let number = Double(text), number.isFinite else {
            throw SettingError("\(name) must be a number, not \"\(text)\"")
        }
        return number
    }

    private static func duration(_ text: String, _ name: String, from least: Duration = .seconds(1)) throws -> Duration
    {
        if text == "0s", least == .zero { return .zero }
        do {
            return try parseWindow(text)
        } catch {
            throw SettingError("\(name) must be like 1s, 60s or 5m (at most 24h), not \"\(text)\"")
        }
    }
}
