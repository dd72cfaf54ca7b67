import ArgumentParser
import GatewayClient
import Glibc
import Heating

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show the status live: repainted on a terminal, a line per change in a pipe. Ctrl-C ends it.",
        discussion: "With --json: one status per line, each second.")

    @OptionGroup var options: GatewayOptions

    func run() throws {
        if options.json {
            try follow { event in
                if case .status(let json) = event { try options.write(json) }
            }
        } else if Output.standard.understandsEscapes {
            try LiveView(socket: options.socket, output: .standard).run()
        } else {
            var log = WatchLog()
            try follow { event in
                let time = wallClock()
                switch event {
                case .status(let json):
                    try Output.standard.write(lines: log.lines(for: Status(json), at: time.description))
                case .lost(let error):
                    try Output.standard.write(lines: log.lines(for: error, at: time.description))
                case .interrupted: break
                }
            }
        }
    }

    /// Until the process is ended. A daemon that was never there is a problem; one that goes away is waited for.
    private func follow(_ handle: (StatusFeed.Event) throws -> Void) throws -> Never {
        letThrough([SIGINT, SIGTERM, SIGHUP])
        let feed = StatusFeed(socket: options.socket)
        let first = feed.next()
        if case .lost(let error) = first { throw Problem(error) }
        try handle(first)
        while true {
            let event = feed.next()
            if case .lost(let error) = event, !error.meansUnreachable { throw Problem(error) }
            try handle(event)
        }
    }
}

/// `watch` on a terminal: the status screen, repainted with each status and each change of the window.
private struct LiveView {
    let socket: String
    let output: Output

    func run() throws {
        let signals = try SignalPipe([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH])
        let feed = StatusFeed(socket: socket, interrupt: signals.descriptor)
        var latest: Status?
        var screen: Screen?  // taken with the first status, so that an error before it stays readable
        var footer = ""
        while true {
            switch feed.next() {
            case .status(let json):
                latest = Status(json)
                footer = clockText()
                if screen == nil { screen = try Screen(output) }
            case .lost(let error):
                guard screen != nil, error.meansUnreachable else { throw Problem(error) }
                footer = "NOT LIVE: \(error.explanation). Trying again."
            case .interrupted:
                for signal in signals.take() {
                    switch signal {
                    case SIGWINCH: break
                    case SIGTSTP: try screen?.suspend()
                    default: return
                    }
                }
            }
            if let latest {
                let text = StatusText(status: latest, width: output.size.columns, style: output.style)
                try screen?.show(text.lines(), footer: "\(footer)  Ctrl-C ends.")
            }
        }
    }

    private func clockText() -> String {
        let now = wallClock()
        return ShownTime(now: now).text(now) ?? ""
    }
}
