import ArgumentParser
import EventLog
import Foundation
import Glibc
import Influx
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

    /// As the library does it, but a service that cannot start by its settings ends with EX_CONFIG, 78, as hearthd does.
    static func main() async {
        var isService = false
        do {
            var command = try parseAsRoot()
            isService =
                command is IngestCommand || command is SaveRawCommand || command is CleanCommand
                || command is AggregateCommand || command is ServeCommand || command is ActuateCommand
                || command is SetupCommand
            if var lasting = command as? any AsyncParsableCommand {
                try await lasting.run()
            } else {
                try command.run()
            }
        } catch {
            guard isService, isAboutSettings(error) else { exit(withError: error) }
            FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
            Glibc.exit(EX_CONFIG)
        }
    }

    static func isAboutSettings(_ error: any Error) -> Bool {
        switch error {
        case is SettingError: true
        case let error as EventLogError: error.code == .settings
        case InfluxError.invalidSetting: true
        default: false
        }
    }
}
