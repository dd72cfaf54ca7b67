import ArgumentParser
import GatewayClient

struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Show what waits for the cloud, what it takes on disk, and what was lost or set aside.")

    @OptionGroup var options: GatewayOptions

    func run() throws {
        guard !options.json else {
            return try options.write(
                try options.withGateway { (gateway) throws(VarlinkError) in try gateway.journal() })
        }
        let (report, status) = try options.withGateway { (gateway) throws(VarlinkError) in
            (JournalReport(try gateway.journal()), Status(try gateway.status()))
        }
        let output = Output.standard
        let text = JournalText(report: report, status: status, width: output.size.columns, style: output.style)
        try output.write(lines: text.lines())
    }
}
