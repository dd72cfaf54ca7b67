import ArgumentParser
import Machine

/// Stands for what Hearth is connected to: homes full of sensors and heat pumps, and whoever listens in the cloud.
@main
struct HearthSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth-sim",
        abstract: "Simulated homes, a load generator and an observer for Hearth.",
        version: "hearth-sim \(Version.current)",
        subcommands: [
            HomeCommand.self, SimulatedDevicesCommand.self, LoadCommand.self, ObserveCommand.self, ConfirmCommand.self,
        ])
}
