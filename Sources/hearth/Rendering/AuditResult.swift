import Heating

/// What an audit found, put together from the daemon's parts.
struct AuditResult: Equatable {
    struct Gap: Equatable {
        enum Kind: String {
            /// In the journal, and the cloud has not confirmed it yet.
            case waiting
            /// Not in the journal any more, and never confirmed.
            case lost
            /// Confirmed, and the cloud could not make a point of it.
            case deadLetter
            /// Confirmed, and kept by the cloud until its database takes it.
            case held
            /// A later reading of the room with the same time has its place.
            case overwritten
            /// Confirmed, and the cloud has never seen it behind its event log.
            case neverArrived
            /// Confirmed, and the cloud does not tell what became of it.
            case untold
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
    /// Whether the daemon knows of the cloud's accounts at all; an older one does not.
    private var asksForAccount = false
    /// Confirmed so long ago that the cloud should tell what became of it.
    private var confirmedEarlier: Int64 = 0
    /// What the cloud tells, and from which sequence on; nil while it tells nothing.
    private var toldFrom: Int64?
    private var fates: [StoredAccount.Fate: SequenceRanges] = [:]

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
        guard let account = part["account"] else { return through }
        asksForAccount = confirm == "ingestor"
        confirmedEarlier = max(confirmedEarlier, part["confirmedEarlier"]?.int ?? 0)
        toldFrom = account["toldFrom"]?.int ?? toldFrom
        for fate in StoredAccount.Fate.allCases {
            guard let ranges = account[fate.rawValue].flatMap(SequenceRanges.init(json:)) else { continue }
            fates[fate, default: SequenceRanges()].formUnion(ranges)
        }
        return through
    }

    /// Confirmed records that are no points, as the cloud tells.
    private var notStored: [Gap] {
        guard asksForAccount, let scanned else { return [] }
        func gaps(_ ranges: SequenceRanges, _ kind: Gap.Kind) -> [Gap] {
            ranges.intersection(scanned).ranges.map { Gap(range: $0, kind: kind) }
        }
        var open = confirmed.intersection(scanned).subtracting(lost).subtracting(missing)
        open =
            confirmedEarlier >= scanned.lowerBound ? open.intersection(scanned.lowerBound...confirmedEarlier) : .init()
        guard let toldFrom else { return gaps(open, .untold) }
        for ranges in fates.values { open = open.subtracting(ranges) }
        var silent = toldFrom > scanned.lowerBound ? open.intersection(scanned.lowerBound...(toldFrom - 1)) : .init()
        // The log is read in order. What lies above all that was told, P1 has not come to, or not told yet.
        let newest = fates.values.compactMap(\.last).max() ?? toldFrom - 1
        if newest < scanned.upperBound {
            silent.formUnion(open.intersection(max(newest + 1, scanned.lowerBound)...scanned.upperBound))
        }
        return gaps(fates[.deadLetters] ?? .init(), .deadLetter) + gaps(fates[.held] ?? .init(), .held)
            + gaps(fates[.overwritten] ?? .init(), .overwritten) + gaps(silent, .untold)
            + gaps(open.subtracting(silent), .neverArrived)
    }

    /// Sequences that the cloud says are points, of those that were compared; nil while it tells nothing.
    private var storedCount: Int? {
        guard asksForAccount, toldFrom != nil, let scanned else { return nil }
        return fates[.points]?.intersection(scanned).count ?? 0
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
            + notStored
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
            "stored": JSON(storedCount) { JSON($0) },
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
        if let storedCount {
            fields.append(Field("Database", "\(groupedText(storedCount)) are points, as the cloud tells"))
        } else if asksForAccount {
            fields.append(Field("Database", Self.silence, .yellow))
        }
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
            let (text, colour) = Self.words(gap.kind)
            return style.paint("gap: \(numbers) (\(count) \(text))", colour)
        }
    }

    private static let silence =
        "the cloud has not told what became points: look whether its broker keeps retained messages and lets this home "
        + "read HOME/gateway/stored, and whether hearth-cloud save-raw or serve is up and knows the broker (MQTT_HOST)"

    private static func words(_ kind: Gap.Kind) -> (text: String, color: Style.Colour) {
        switch kind {
        case .waiting: ("waiting for the cloud, safe in the journal", .yellow)
        case .lost: ("lost: not in the journal and not confirmed", .red)
        case .deadLetter:
            ("confirmed, but no points: set aside in the cloud, see there: hearth-cloud dead-letters list", .red)
        case .held: ("confirmed, not points yet: the cloud keeps them until its database takes them", .yellow)
        case .overwritten: ("confirmed, but a later reading with the same time has their place", .red)
        case .neverArrived: ("confirmed, but gone from the cloud's event log before they became points", .red)
        case .untold: ("confirmed; the cloud has not told whether they are points", .yellow)
        }
    }
}
