import ArgumentParser
import Machine

/// `hearth-cloud`: every cloud service in one binary, so that there is one image; each is its own Deployment.
@main
struct HearthCloud: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth-cloud",
        abstract: "From the cloud broker to the event log to the dashboards.",
        discussion: "Every setting is a flag and an environment variable; the flag wins. Secrets come from files.",
        version: "hearth-cloud \(Version.current)",
        subcommands: [
            IngestCommand.self, SaveRawCommand.self, CleanCommand.self, AggregateCommand.self, ServeCommand.self,
            ActuateCommand.self, SetupCommand.self, DeadLettersCommand.self, HomesCommand.self,
        ])
}
