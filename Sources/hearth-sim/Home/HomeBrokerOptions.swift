import ArgumentParser

/// Where the simulated home's broker is.
struct HomeBrokerOptions: ParsableArguments {
    @Option(help: "The home broker. (default: MQTT_HOST, or 127.0.0.1)")
    var host: String?

    @Option(help: "Its port. (default: MQTT_PORT, or 1883)")
    var port: Int?

    /// - Parameters:
    ///   - rooms: separated by commas; nil for the usual ones.
    ///   - variables: the environment's, as far as they count.
    func settings(rooms: String? = nil, variables: [String]) throws -> HomeSettings {
        let flags = HomeSettings.Flags(
            host: host, port: port,
            rooms: rooms?.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        do {
            return try HomeSettings(flags: flags, environment: environment(variables))
        } catch {
            throw ValidationError(error.description)
        }
    }
}

/// What every simulation's time has to be.
func checkPace(interval: Double, speed: Double) throws {
    guard interval >= 0.001, interval <= 86_400 else { throw ValidationError("--interval must be 0.001 to 86400") }
    guard speed > 0, speed <= 100_000 else { throw ValidationError("--speed must be above 0, up to 100000") }
}
