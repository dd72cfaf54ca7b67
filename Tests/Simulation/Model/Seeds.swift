/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same on every machine.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func chance(_ part: Int, in whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &self) < part
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}

/// What went wrong in one history, with the seed that shows it again.
package struct Broken: Error, CustomStringConvertible {
    package let sentence: String
    package let seed: UInt64

    package init(sentence: String, seed: UInt64) {
        self.sentence = sentence
        self.seed = seed
    }

    package var description: String { "\(sentence) (run again with HEARTH_SEED=\(seed))" }
}

/// Cheaper than `#expect` in loops of millions.
package func check(_ condition: Bool, _ seed: UInt64, _ sentence: @autoclosure () -> String) throws {
    if !condition { throw Broken(sentence: sentence(), seed: seed) }
}
