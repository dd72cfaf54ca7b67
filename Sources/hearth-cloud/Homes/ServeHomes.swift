import ArgumentParser
import Heating
import MQTT

/// `hearth-cloud homes serve`.
struct ServeHomes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "The homes as a page (/), as JSON (/homes.json) and as metrics, for as long as it runs.",
        discussion: """
            Follows what the broker keeps on +/gateway/status; changes nothing. The page asks nobody for a password: keep its port \
            inside the cluster or the machine, or put a proxy before it that does.
            """)

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var log: LogOptions

    @Option(
        "HOMES_SILENT_AFTER", flag: "silent-after", .short(), default: "5m",
        help: "How long a home whose status says online may say nothing")
    var silentAfter: Setting<Duration>

    @Option("GRAFANA_URL", help: "Where people find Grafana, for links from each home to its dashboard")
    var grafana: Setting<String>

    func run() async throws {
        CloudBuilder.endsInGoodOrder()
        let logger = try CloudBuilder.logger(log)
        var settings = FleetService.Settings(patience: try silentAfter.value)
        if let text = grafana.given {
            guard let address = GrafanaAddress(text) else {
                throw grafana.failure("must be an address like https://grafana.example.org, not \"\(text)\"")
            }
            settings.grafana = address
        }
        var connection = try broker.settingsForHomes
        // A status has a few hundred bytes; the broker keeps what is larger to itself.
        connection.maximumPacketSize = 64 << 10
        let service = FleetService(broker: connection, settings: settings, logger: logger)
        try await CloudBuilder.run(service, http: http, logger: logger)
    }
}
