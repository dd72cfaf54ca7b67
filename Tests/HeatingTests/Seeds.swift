import Foundation
import SimulationModel

/// The seeds of a property test: one per random history, printed so that a failure can be run again.
///
/// `HEARTH_SEED=<n>` runs exactly the history of that seed; `HEARTH_HISTORIES=<n>` runs n times as many.
func seeds(_ count: Int, _ name: String) -> [UInt64] {
    if let text = ProcessInfo.processInfo.environment["HEARTH_SEED"], let seed = UInt64(text) {
        print("\(name): seed \(seed) from HEARTH_SEED")
        return [seed]
    }
    let count = count * max(1, ProcessInfo.processInfo.environment["HEARTH_HISTORIES"].flatMap(Int.init) ?? 1)
    let first = UInt64.random(in: 0..<(1 << 48))
    print("\(name): \(count) seeds from \(first)")
    return (0..<UInt64(count)).map { first + $0 }
}

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}
