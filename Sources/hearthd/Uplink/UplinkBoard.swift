import Heating
import Synchronization

/// What the uplink shows to the control socket: numbers only, never a reference into the lane.
final class UplinkBoard: Sendable {
    struct Contents: Sendable {
        /// Unconfirmed records up to `newest`; confirmed ones behind a gap do not count.
        var backlog: Int64 = 0
        var newest: Int64 = 0
        var inFlight = 0
        var confirmedThrough: Int64 = 0
        var resent = 0
        var ratePerSecond = 0.0
        /// Confirmed above `confirmedThrough`, the first ``rangesShown``.
        var confirmedAbove: [ClosedRange<Int64>] = []
        /// Given up without a confirmation since the start, the newest ``rangesShown``.
        var lost: [ClosedRange<Int64>] = []
        /// What was confirmed ``ConfirmedEarlier/patience`` ago: by now the cloud should tell what became of it.
        var confirmedEarlier: Int64 = 0
        /// What became of this journal's records, as the cloud told it last; nil if it never did.
        var stored: StoredAccount?
        /// Messages on our topics that were not for us or could not be read.
        var foreign = 0
        /// Why the cloud broker refuses; nil while it takes what it gets.
        var refusal: String?
        /// Names of what is wrong in the house, for who looks at the home from the cloud.
        var findings: [String] = []
    }

    static let rangesShown = 256

    private let contents = Mutex(Contents())

    var snapshot: Contents { contents.withLock { $0 } }

    func update(_ state: UplinkState, ratePerSecond: Double, confirmedEarlier: Int64) {
        contents.withLock {
            $0.confirmedEarlier = confirmedEarlier
            $0.backlog = state.unconfirmed
            $0.newest = state.newest
            $0.inFlight = state.inFlightRecords
            $0.confirmedThrough = state.lowWatermark
            $0.resent = state.counters.resent
            $0.confirmedAbove = Array(state.confirmedAbove.ranges.prefix(Self.rangesShown))
            $0.lost = state.lost.ranges.suffix(Self.rangesShown)
            $0.ratePerSecond = ratePerSecond
        }
    }

    var findings: [String] { contents.withLock { $0.findings } }
    func told(findings: [String]) { contents.withLock { $0.findings = findings } }
    func told(_ account: StoredAccount?) { contents.withLock { $0.stored = account } }
    func countForeign() { contents.withLock { $0.foreign += 1 } }
    func refused(_ reason: String?) { contents.withLock { $0.refusal = reason } }
}

/// What had been confirmed some time ago. The cloud tells what became of a record a while after it confirmed it.
struct ConfirmedEarlier {
    /// Twice what the cloud takes from a point to its account.
    static let patience: Int64 = 20_000_000_000
    private static let stepNanoseconds: Int64 = 1_000_000_000
    /// The newest last; the first is older than the patience, once there was one.
    private var samples: [(time: Int64, confirmed: Int64)]

    /// - Parameter confirmed: what an earlier process has noted.
    init(_ confirmed: Int64) { samples = [(.min / 2, confirmed)] }

    /// - Parameter now: boot time in nanoseconds.
    mutating func observe(confirmed: Int64, now: Int64) {
        if let last = samples.last, now - last.time < Self.stepNanoseconds { return }
        samples.append((now, confirmed))
        while samples.count > 1, now - samples[1].time >= Self.patience { samples.removeFirst() }
    }

    func confirmed(now: Int64) -> Int64 { samples.last { now - $0.time >= Self.patience }?.confirmed ?? 0 }
}

/// Confirmed records per second, averaged over the last ten seconds or so.
struct DrainRate {
    private static let windowNanoseconds: Int64 = 10_000_000_000
    private var samples: [(time: Int64, confirmed: Int64)] = []

    /// - Parameters:
    ///   - confirmed: the low watermark; `now`: boot time in nanoseconds.
    mutating func observe(confirmed: Int64, now: Int64) {
        if let last = samples.last, now - last.time < Self.windowNanoseconds / 20 { return }
        samples.append((now, confirmed))
        samples.removeAll { now - $0.time > Self.windowNanoseconds }
    }

    var perSecond: Double {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return 0 }
        return Double(last.confirmed - first.confirmed) / (Double(last.time - first.time) / 1e9)
    }
}
