import ArgumentParser
import GatewayClient
import Heating

struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Remove a room that is not in the configuration: one that was renamed, mistyped or taken down.",
        discussion: """
            The room goes from status, alarms, the home broker's retained state and Home Assistant; its pump is told to \
            stop. It comes back when its sensor speaks. What was recorded stays recorded.
            """)

    @Argument(help: "The room, as 'hearth status' names it.")
    var room: String

    @OptionGroup var options: GatewayOptions

    func run() throws {
        let reply = try options.withGateway(room: room) { (gateway) throws(VarlinkError) in
            try gateway.forget(room: room)
        }
        guard !options.json else { return try options.write(reply) }
        let name = printableName(reply["room"]?.string ?? room)
        try Output.standard.write(lines: ["\(name): forgotten; it comes back when its sensor speaks"])
    }
}
