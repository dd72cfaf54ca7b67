import ArgumentParser

/// How far the commands that look at the journal's history go back.
struct HistoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How far back: 90m, 24h, 7d; at most as long as the journal keeps history.", valueName: "time"),
        transform: durationArgument)
    var since: Duration = .seconds(86_400)
}
