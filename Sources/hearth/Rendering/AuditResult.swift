import Heating

/// What an audit found, put together from the daemon's parts.
struct AuditResult: Equatable {
    struct Gap: Equatable {
        enum Kind: String {
            /// In the journal, and the cloud has not confirmed it yet.
            case waiting
            /// Not in the journal any more, and never confirmed.
            case lost
        }

        var range: ClosedRange<Int64>
        var kind: Kind
    }

    let sinceSeconds: Int64
    private(set) var epoch = ""
    /// Who confirms: "ingestor" or "broker".
    private(set) var confirm = ""
    /// The sequences that were compared; nil when there were none.
    private(set) var scanned: ClosedRange<Int64>?
    private(set) var records: Int64 = 0
    private(set) var dropped: Int64 = 0
    private var settledThrough: Int64 = 0
    private var missing = SequenceRanges()
    private var lost = SequenceRanges()
    private var confirmed = SequenceRanges()

    init(sinceSeconds: Int64) {
        self.sinceSeconds = sinceSeconds
    }

    /// Adds a part in order.
    /// - Returns: where the next begins; nil when this is no such part.
    mutating func add(_ part: JSON) -> Int64? {
        guard let epoch = part["epoch"]?.string, let first = part["first"]?.int,
            let through = part["scannedThrough"]?.int, let confirmedThrough = part["confirmedThrough"]?.int,
            let holes = part["missing"].flatMap(SequenceRanges.init(json:)),
            let above = part["confirmedAbove"].flatMap(SequenceRanges.init(json:)),
            let given = part["lost"].flatMap(SequenceRanges.init(json:))
        else { return nil }
        if epoch != self.epoch { self = AuditResult(sinceSeconds: sinceSeconds) }
        self.epoch = epoch
        confirm = part["confirm"]?.string ?? ""
        if through >= first { scanned = min(first, scanned?.lowerBound ?? first)...through }
        records += part["records"]?.int ?? 0
        dropped = part["dropped"]?.int ?? 0
        settledThrough = part["settledThrough"]?.int ?? settledThrough
        missing.formUnion(holes)
        // The newest word counts: confirmations arrive while the parts are read.
        lost = given
        confirmed.formUnion(above)
        if confirmedThrough >= 1 { confirmed.formUnion(SequenceRanges([1...confirmedThrough])) }
        return through
    }

    /// What the cloud has not confirmed, in order, the last seconds left out.
    var gaps: [Gap] {
        guard let scanned else { return [] }
        // Dropped rows lie before the oldest that is kept, and nobody knows any more when they arrived: all are told.
        var never = lost
        never.formUnion(missing.intersection(scanned))
        let open = SequenceRanges([scanned]).subtracting(confirmed).subtracting(never)
        let waiting =
            settledThrough >= scanned.lowerBound ? open.intersection(scanned.lowerBound...settledThrough) : .init()
        let all =
            never.ranges.map { Gap(range: $0, kind: .lost) } + waiting.ranges.map { Gap(range: $0, kind: .waiting) }
        return all.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }

    /// Sequences that the cloud has, of those that were compared.
    private var confirmedCount: Int {
        guard let scanned else { return 0 }
        return confirmed.intersection(scanned).subtracting(lost).subtracting(missing).count
    }

    var json: JSON {
        [
            "sinceSeconds": JSON(sinceSeconds), "epoch": .string(epoch), "confirm": .string(confirm),
            "first": JSON(scanned?.lowerBound) { JSON($0) }, "last": JSON(scanned?.upperBound) { JSON($0) },
            "records": JSON(records), "confirmed": JSON(confirmedCount), "dropped": JSON(dropped),
            "gaps": .array(
                gaps.map {
                    [
                        "from": JSON($0.range.lowerBound), "to": JSON($0.range.upperBound),
                        "kind": .string($0.kind.rawValue),
                    ]
                }),
        ]
    }

    func lines(width: Int, style: Style) -> [String] {
        let length = "the last \(durationText(Double(sinceSeconds)))"
        guard let scanned else { return ["Nothing was recorded in \(length).", style.paint("gap: none", .green)] }
        var fields = [
            Field(
                "Journal",
                "\(countText(records, "record")) of \(length), sequences \(groupedText(scanned.lowerBound)) to "
                    + "\(groupedText(scanned.upperBound))"),
            Field("Cloud", "\(groupedText(confirmedCount)) confirmed \(confirmText)"),
        ]
        if dropped > 0 {
            fields.append(
                Field("Dropped", "\(countText(dropped, "record")) since the journal was made: it was full", .red))
        }
        return Field.lines(fields, width: width, style: style) + gapLines(width: width, style: style)
    }

    private var confirmText: String {
        confirm == "broker"
            ? "by the cloud broker only: what its memory loses is lost" : "by the ingestor: the event log has them"
    }

    private func gapLines(width: Int, style: Style) -> [String] {
        let gaps = gaps
        guard !gaps.isEmpty else { return [style.paint("gap: none", .green)] }
        return gaps.map { gap in
            let numbers =
                gap.range.count == 1 ? "\(gap.range.lowerBound)" : "\(gap.range.lowerBound)-\(gap.range.upperBound)"
            let count = countText(Int64(gap.range.count), "record")
            return gap.kind == .lost
                ? style.paint("gap: \(numbers) (\(count) lost: not in the journal and not confirmed)", .red)
                : style.paint("gap: \(numbers) (\(count) waiting for the cloud, safe in the journal)", .yellow)
        }
    }
}
