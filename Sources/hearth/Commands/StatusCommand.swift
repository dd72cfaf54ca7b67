import ArgumentParser
import GatewayClient

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show rooms, links, backlog, disk and alarms on one screen.")

    @OptionGroup var options: GatewayOptions

    func run() throws {
        let reply = try options.withGateway { (gateway) throws(VarlinkError) in try gateway.status() }
        guard !options.json else { return try options.write(reply) }
        let output = Output.standard
        let text = StatusText(status: Status(reply), width: output.size.columns, style: output.style)
        try output.write(lines: text.lines())
    }
}
