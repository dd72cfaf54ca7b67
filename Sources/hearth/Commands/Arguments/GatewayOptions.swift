import ArgumentParser
import GatewayClient
import Glibc
import Heating

/// The options of every command that talks to hearthd.
struct GatewayOptions: ParsableArguments {
    @Option(help: ArgumentHelp("hearthd's control socket; also from HEARTH_SOCKET.", valueName: "path"))
    var socket: String = defaultSocket

    @Flag(help: "Write JSON, as the daemon sent it, for programs.")
    var json = false

    private static var defaultSocket: String {
        let fromEnvironment = environmentVariable("HEARTH_SOCKET") ?? ""
        return fromEnvironment.isEmpty ? "/run/hearth/hearthd.sock" : fromEnvironment
    }

    /// Connects and makes calls; what goes wrong becomes a problem with advice.
    func withGateway<Value>(_ calls: (ControlClient) throws(VarlinkError) -> Value) throws(Problem) -> Value {
        do {
            return try calls(try ControlClient(socket: socket))
        } catch {
            throw Problem(error)
        }
    }

    /// As ``withGateway(_:)`` for calls about `room`: if there is no such room, the advice names those there are.
    func withGateway<Value>(
        room: String, _ calls: (ControlClient) throws(VarlinkError) -> Value
    ) throws(Problem) -> Value {
        do {
            return try calls(try ControlClient(socket: socket))
        } catch  where error.refusalName == "NoSuchRoom" {
            let rooms = (try? ControlClient(socket: socket).status()).map { Status($0).rooms.map(\.name) } ?? []
            throw noSuchRoom(room, rooms: rooms)
        } catch {
            throw Problem(error)
        }
    }

    /// Writes one JSON document on a line.
    func write(_ json: JSON) throws(Problem) {
        try Output.standard.write(printableJSON(json.serialized()) + "\n")
    }
}

/// Names the room that was probably meant, and those there are.
func noSuchRoom(_ room: String, rooms: [String]) -> Problem {
    let hint = nearest(to: room, among: rooms).map { "; did you mean '\(printableName($0))'?" } ?? ""
    return Problem(
        "there is no room '\(printableName(room))'\(hint)",
        advice: rooms.isEmpty
            ? "wait for its sensor's first reading; see: hearth status"
            : "choose from \(rooms.map(printableName).joined(separator: ", "))",
        exitCode: EXIT_FAILURE)
}
