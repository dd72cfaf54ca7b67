/// What became of one journal's records behind the event log, as far as the cloud's P1 has seen them. A value that can be
/// merged with another account of the same journal in any order and any number of times: the result is the same.
///
/// Bounded: of too many ranges the lowest are given up, and the account says from where on it tells.
public struct StoredAccount: Equatable, Sendable {
    /// In order of precedence: a record that has two fates has the first of them.
    public enum Fate: String, CaseIterable, Sendable {
        /// A later reading of the room with the same time has its place in the database.
        case overwritten
        /// It is a point of the database.
        case points
        /// It cannot be a point.
        case deadLetters
        /// It is kept until the database takes it.
        case held
    }

    /// Names the journal file.
    public let epoch: String
    /// The lowest sequence that P1 has ever seen; what is below may be from before it kept account.
    public private(set) var first: Int64
    /// Up to here nothing is told any more.
    public private(set) var forgotten: Int64 = 0
    /// Disjoint.
    private var fates: [SequenceRanges]

    /// Ranges of one fate.
    public static let rangeLimit = 1000

    public init(epoch: String, first: Int64) {
        self.epoch = epoch
        self.first = first
        fates = Fate.allCases.map { _ in SequenceRanges() }
    }

    public subscript(fate: Fate) -> SequenceRanges { fates[Self.index(fate)] }

    /// Sequences below this are not told.
    public var toldFrom: Int64 { max(first, forgotten == .max ? .max : forgotten + 1) }

    public mutating func add(_ ranges: SequenceRanges, _ fate: Fate) {
        guard let lowest = ranges.first else { return }
        first = min(first, lowest)
        let place = Self.index(fate)
        var rest = ranges
        rest.remove(through: forgotten)
        for stronger in 0..<place where !fates[stronger].isEmpty { rest = rest.subtracting(fates[stronger]) }
        fates[place].formUnion(rest)
        for weaker in place + 1..<fates.count where !fates[weaker].isEmpty {
            fates[weaker] = fates[weaker].subtracting(rest)
        }
        bound(Self.rangeLimit)
    }

    public mutating func merge(_ other: StoredAccount) {
        first = min(first, other.first)
        forget(through: other.forgotten)
        for fate in Fate.allCases { add(other[fate], fate) }
    }

    /// Gives up the lowest ranges until no fate has more than so many.
    public mutating func bound(_ limit: Int) {
        for ranges in fates where ranges.ranges.count > limit {
            forget(through: ranges.ranges[ranges.ranges.count - limit - 1].upperBound)
        }
    }

    private mutating func forget(through sequence: Int64) {
        guard sequence > forgotten else { return }
        forgotten = sequence
        for place in fates.indices { fates[place].remove(through: forgotten) }
    }

    private static func index(_ fate: Fate) -> Int { Fate.allCases.firstIndex(of: fate) ?? 0 }
}

extension StoredAccount {
    var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("epoch", .string(epoch)), ("first", JSON(first)), ("forgotten", JSON(forgotten)),
        ]
        for fate in Fate.allCases where !self[fate].isEmpty { members.append((fate.rawValue, self[fate].json)) }
        return .object(.init(members))
    }

    /// nil unless it is one, within its bounds.
    public init?(json: JSON) {
        guard let epoch = json["epoch"]?.string, !epoch.isEmpty, epoch.utf8.count <= Acknowledgement.longestEpoch,
            let first = json["first"]?.int, let forgotten = json["forgotten"]?.int, first >= 0, forgotten >= 0
        else { return nil }
        self.init(epoch: epoch, first: first)
        for fate in Fate.allCases {
            guard let list = json[fate.rawValue] else { continue }
            guard list.array.map({ $0.count <= Self.rangeLimit }) ?? false, let ranges = SequenceRanges(json: list),
                ranges.first.map({ $0 >= 0 }) ?? true
            else { return nil }
            add(ranges, fate)
        }
        forget(through: forgotten)
    }
}

/// The accounts of a home's journals: published retained on `<home>/gateway/stored`.
///
/// `{"journals": [{"epoch": "…", "first": 1, "forgotten": 0, "points": [[1, 500]], "deadLetters": …, "held": …,
/// "overwritten": …}, …]}`, the journal that was heard of last at the end.
public struct StoredSummary: Equatable, Sendable {
    public static let payloadLimit = 512 * 1024
    /// A home has one journal, and a second after its disk was replaced.
    public static let journalLimit = 4

    public private(set) var journals: [StoredAccount] = []

    public init() {}

    public func journal(_ epoch: String) -> StoredAccount? {
        journals.first { $0.epoch.utf8.elementsEqual(epoch.utf8) }
    }

    /// Adds what became of records; the journal is the newest from now on.
    public mutating func add(_ ranges: SequenceRanges, _ fate: StoredAccount.Fate, of epoch: String) {
        guard let first = ranges.first else { return }
        let place = journals.firstIndex { $0.epoch.utf8.elementsEqual(epoch.utf8) }
        var account = place.map { journals.remove(at: $0) } ?? StoredAccount(epoch: epoch, first: first)
        account.add(ranges, fate)
        journals.append(account)
        if journals.count > Self.journalLimit { journals.removeFirst() }
    }

    /// - Returns: whether the other one lacked something.
    public mutating func merge(_ other: StoredSummary) -> Bool {
        for account in other.journals {
            if let place = journals.firstIndex(where: { $0.epoch.utf8.elementsEqual(account.epoch.utf8) }) {
                journals[place].merge(account)
            } else if journals.count < Self.journalLimit {
                // What is known already is newer than what was published.
                journals.insert(account, at: 0)
            }
        }
        return journals.contains { other.journal($0.epoch) != $0 }
    }

    /// - Parameter ranges: at most so many of each fate; the lowest are given up.
    public func payload(ranges limit: Int = StoredAccount.rangeLimit) -> [UInt8] {
        let bounded = journals.map { account in
            var account = account
            account.bound(limit)
            return account.json
        }
        return (["journals": .array(bounded)] as JSON).bytes
    }

    /// nil for anything else, and for what is larger than one can be.
    public init?(payload: some Collection<UInt8>) {
        guard payload.count <= Self.payloadLimit, let json = try? JSON.parse(payload),
            let list = json["journals"]?.array, list.count <= Self.journalLimit
        else { return nil }
        for element in list {
            guard let account = StoredAccount(json: element), journal(account.epoch) == nil else { return nil }
            journals.append(account)
        }
    }
}
