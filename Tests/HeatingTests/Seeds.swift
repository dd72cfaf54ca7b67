import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ part: Int, in whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &self) < part
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}

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

/// What went wrong in one history, with the seed that shows it again.
struct Broken: Error, CustomStringConvertible {
    let sentence: String
    let seed: UInt64

    var description: String { "\(sentence) (run again with HEARTH_SEED=\(seed))" }
}

/// Cheaper than `#expect` in loops of millions.
func check(_ condition: Bool, _ seed: UInt64, _ sentence: @autoclosure () -> String) throws {
    if !condition { throw Broken(sentence: sentence(), seed: seed) }
}

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}
