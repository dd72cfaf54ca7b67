import ArgumentParser
import GatewayClient
import Glibc
import Heating

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Compare what the journal has recorded with what the cloud has confirmed and stored.",
        discussion: """
            Prints 'gap: none' when all of it is confirmed and, as the cloud tells, points of the database. Or every range \
            of sequences that is not: what waits, what is lost, what the cloud has set aside, keeps for its database, has \
            overwritten, has never seen behind its event log, or does not tell about. What arrived in the last 10 s and \
            what was confirmed in the last 20 s counts as on its way. Exits with 1 when there is a gap.
            """)

    @OptionGroup var history: HistoryOptions

    @OptionGroup var options: GatewayOptions

    func run() throws {
        let result = try options.withGateway { (gateway) throws(VarlinkError) in
            try AuditResult(sinceSeconds: history.since.components.seconds, gateway)
        }
        if options.json {
            try options.write(result.json)
        } else {
            let output = Output.standard
            try output.write(lines: result.lines(width: output.size.columns, style: output.style))
        }
        if !result.gaps.isEmpty { throw ExitCode(EXIT_FAILURE) }
    }
}

extension AuditResult {
    /// Asks for one part after another.
    fileprivate init(sinceSeconds: Int64, _ gateway: ControlClient) throws(VarlinkError) {
        self.init(sinceSeconds: sinceSeconds)
        var after: Int64?
        repeat {
            let reply = try gateway.audit(sinceSeconds: sinceSeconds, after: after)
            guard let next = add(reply) else { throw .malformed("not the answer to an audit") }
            after = next
            if reply["more"]?.bool != true { return }
        } while true
    }
}
