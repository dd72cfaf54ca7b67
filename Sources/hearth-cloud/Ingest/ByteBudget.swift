import Heating

/// How many bytes each home may cost, and all of them together: buckets that fill with time. A value.
///
/// Remembers a bounded number of homes; those beyond share one bucket, so that made-up names buy nothing.
struct ByteBudget {
    struct Limit {
        /// What may be spent at once.
        var burst: Int
        /// What comes back in an hour.
        var perHour: Int
    }

    private struct Bucket {
        var spent: Double = 0
        var at: Instant

        mutating func refill(_ limit: Limit, now: Instant) {
            let hours = Double(max(0, (now - at).wholeNanoseconds)) / 3.6e12
            spent = max(0, spent - hours * Double(limit.perHour))
            at = max(at, now)
        }
    }

    private static let homeLimit = 4096

    private let home: Limit
    private let all: Limit?
    private var homes: [HomeID: Bucket] = [:]
    private var crowd = Bucket(at: .zero)
    private var total = Bucket(at: .zero)
    /// Looking through all of them for each new name would be what made-up names cost.
    private var lookAgainAt = Instant.zero

    /// - Parameter all: what all homes may spend together; nil: no bound.
    init(home: Limit, all: Limit?) {
        self.home = home
        self.all = all
    }

    /// How many homes are remembered.
    var remembered: Int { homes.count }

    /// Spends the bytes, unless that is more than is left: then nothing is spent.
    mutating func take(_ bytes: Int, of name: HomeID, now: Instant) -> Bool {
        var bucket = homes[name] ?? (makeRoom(now: now) ? Bucket(at: now) : crowd)
        bucket.refill(home, now: now)
        let isWithin = bucket.spent + Double(bytes) <= Double(home.burst) && takeOfAll(bytes, now: now)
        if isWithin { bucket.spent += Double(bytes) }
        if homes[name] != nil || homes.count < Self.homeLimit { homes[name] = bucket } else { crowd = bucket }
        return isWithin
    }

    private mutating func takeOfAll(_ bytes: Int, now: Instant) -> Bool {
        guard let all else { return true }
        total.refill(all, now: now)
        guard total.spent + Double(bytes) <= Double(all.burst) else { return false }
        total.spent += Double(bytes)
        return true
    }

    /// Forgets the homes that have everything back. false: there are too many that have not.
    private mutating func makeRoom(now: Instant) -> Bool {
        guard homes.count >= Self.homeLimit else { return true }
        guard now >= lookAgainAt else { return false }
        lookAgainAt = now + .seconds(1)
        homes = homes.filter { entry in
            var bucket = entry.value
            bucket.refill(home, now: now)
            return bucket.spent > 0
        }
        return homes.count < Self.homeLimit
    }
}
