import GatewayClient
import Heating
import Machine

extension VarlinkError {
    /// What happened, for people, on one line.
    var explanation: String {
        switch self {
        case .noSocket(let path): "hearthd's control socket \(printable(path)) does not exist"
        case .refused(let path): "nobody answers at \(printable(path)): hearthd is not running there"
        case .denied(let path, _): "no permission to use the control socket \(printable(path))"
        case .pathTooLong(let path, let limit): "socket path of \(path.utf8.count) bytes; the limit is \(limit)"
        case .timedOut(let time): "hearthd gave no answer within \(durationText(Double(time.components.seconds)))"
        case .closed: "hearthd closed the connection before it had answered"
        case .oversized(let limit): "hearthd's answer is longer than \(sizeText(Int64(limit)))"
        case .malformed(let text): "the answer is not from hearthd's control socket: \(printable(text))"
        case .system(let call, let code): "\(call): \(systemErrorText(code))"
        case .refusal(let name, let parameters): refusalText(name, parameters)
        case .interrupted: "interrupted"
        }
    }

    /// What to do next, on one line; nil when the explanation says all there is.
    var advice: String? {
        switch self {
        case .noSocket, .refused:
            "is hearthd running? Try: systemctl status hearthd. With another socket, say so: --socket PATH"
        case .denied(_, .some(let group)):
            "join its group and log in again: sudo usermod -aG \(printable(group)) \"$USER\"; or use sudo"
        case .denied(_, .none): "use sudo"
        case .pathTooLong: "name a shorter path with --socket"
        case .timedOut: "see what it is doing: journalctl -u hearthd -n 50"
        case .closed: "it may be stopping or restarting: systemctl status hearthd"
        case .oversized, .malformed: "check --socket; is hearth as new as hearthd? Try: hearth --version"
        case .refusal(let name, _) where name.hasSuffix(".MethodNotFound"):
            "this hearthd is older or newer than hearth: install the same version of both"
        case .refusal(let name, _) where name.hasSuffix(".ThermostatDisabled"):
            "this room is not heated by hearthd: see thermostat.enabled in hearthd.toml"
        case .system, .refusal, .interrupted: nil
        }
    }

    private func refusalText(_ name: String, _ parameters: JSON) -> String {
        if let message = parameters["message"]?.string, !message.isEmpty { return printable(message) }
        return "hearthd refused: \(printable(name))"
    }
}
