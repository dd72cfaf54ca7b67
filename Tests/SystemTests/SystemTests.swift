import Foundation
import Testing

/// The built programs against real brokers. One after the other: each test has the machine's two cores to itself, and
/// measured times mean something.
@Suite("System", .serialized, .timeLimit(.minutes(15)))
struct SystemTests {
    /// How hard to try, for releases: `HEARTH_SYSTEM_SCALE=10` runs the long versions.
    static let scale = Double(ProcessInfo.processInfo.environment["HEARTH_SYSTEM_SCALE"] ?? "") ?? 1

    /// Printed by every random test, so that `HEARTH_SEED` replays it.
    static let seed = UInt64(ProcessInfo.processInfo.environment["HEARTH_SEED"] ?? "") ?? UInt64.random(in: 1...999_999)
}

extension Array where Element: Comparable {
    /// The value below which the share `p` of the sorted values lies.
    func percentile(_ p: Double) -> Element? {
        isEmpty ? nil : sorted()[Swift.min(count - 1, Int(Double(count) * p))]
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}

/// Something in the test's own machinery went wrong.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
