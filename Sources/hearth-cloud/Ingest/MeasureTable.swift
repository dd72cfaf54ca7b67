import Heating

/// Which measures with names of their own each home has sent: so many and no more, for each becomes a measurement of the
/// database that all homes share. Those that everybody has are free.
struct MeasureTable {
    /// Homes beyond this many are not remembered; then it begins anew.
    private static let homeLimit = 100_000

    /// Hashes of names: that two collide is no harm.
    private var homes: [HomeID: Set<Int>] = [:]

    mutating func takes(_ measure: Measure, of home: HomeID) -> Bool {
        guard !measure.isCommon else { return true }
        let hash = measure.hashValue
        if homes[home]?.contains(hash) == true { return true }
        guard homes[home, default: []].count < Measure.othersLimit else { return false }
        if homes[home] == nil, homes.count >= Self.homeLimit { homes = [:] }
        homes[home, default: []].insert(hash)
        return true
    }
}
