import ArgumentParser
import GatewayClient
import Heating

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Show why a room's heat pump is on or off: its latest commands and their reasons.")

    @Argument(help: "The room, as 'hearth status' names it.", completion: roomCompletion)
    var room: String

    @Argument(help: .hidden)
    var rest: [String] = []

    @OptionGroup var options: GatewayOptions

    func validate() throws {
        if !rest.isEmpty { throw quotesMissing(in: [room] + rest, command: "why") }
    }

    func run() throws {
        guard !options.json else {
            return try options.write(
                try options.withGateway(room: room) { (gateway) throws(VarlinkError) in try gateway.why(room: room) })
        }
        let (reply, status) = try options.withGateway(room: room) { (gateway) throws(VarlinkError) in
            (try gateway.why(room: room), Status(try gateway.status()))
        }
        let decisions = (reply["decisions"]?.array ?? []).map(Decision.init)
        let output = Output.standard
        let times = ShownTime(now: wallClock())
        let lines = whyLines(
            room: status.rooms.first { $0.name.utf8.elementsEqual(room.utf8) }, measures: status.measures,
            alarms: status.alarms, decisions: decisions, unit: status.temperatureUnit,
            width: output.size.columns, style: output.style, clock: times.text(iso8601:))
        try output.write(lines: lines)
    }
}
