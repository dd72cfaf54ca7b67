import ArgumentParser
import Dispatch
import Heating
import SimulationModel
import Synchronization

/// Simulated histories of the pure parts: one seed is one history, the same on every machine.
///
/// The world around them is simulated, too: time, the journal's disk with what a crash loses of it, the network and a
/// broker that lose, repeat, reorder and delay, an ingestor whose confirmations get lost, come late or from another life.
@main
struct Simulate: ParsableCommand {
    enum Part: String, CaseIterable, ExpressibleByArgument { case uplink, broker, ranges, windows, thermostat, news }

    @Option(help: "The first history's seed.")
    var seed = UInt64.random(in: 0..<(1 << 40))
    @Option(help: "How many histories, over all parts.")
    var histories = 100_000
    @Option(help: "Only this part.")
    var only: Part?
    @Option(help: "Threads.")
    var threads = 2
    @Flag(help: "Run the seeds that once found something, and nothing else.")
    var regressions = false

    /// Part and seed of histories that failed before a bug was mended.
    static let known: [(Part, UInt64)] = [
        (.thermostat, 180_358_439_754_032), (.thermostat, 180_361_025_482_725), (.windows, 11_501),
        (.windows, 29_773),
    ]

    func run() throws {
        let clock = ContinuousClock()
        let began = clock.now
        let failures = Mutex<[String]>([])
        for (part, seed) in Self.known { Self.attempt(part, seed, failures) }
        let parts = only.map { [$0] } ?? Self.mix
        let count = regressions ? 0 : histories
        let next = Atomic(0)
        let (seed, threads) = (seed, max(1, threads))
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < count, failures.withLock({ $0.count < 5 }) else { return }
                Self.attempt(parts[number % parts.count], seed &+ UInt64(number), failures)
            }
        }
        let found = failures.withLock { $0 }
        for failure in found { print(failure) }
        let seconds = (clock.now - began).components.seconds
        print("\(count + Self.known.count) histories, \(found.count) failures, \(seconds) s, first seed \(seed)")
        if !found.isEmpty { throw ExitCode.failure }
    }

    /// Mostly the uplink, where losses would be.
    private static let mix: [Part] = [
        .uplink, .thermostat, .uplink, .windows, .uplink, .broker, .thermostat, .ranges, .uplink, .windows,
        .news,
    ]

    private static func attempt(_ part: Part, _ seed: UInt64, _ failures: borrowing Mutex<[String]>) {
        do {
            try history(part, seed)
        } catch {
            failures.withLock {
                $0.append("\(part): \(error); again: simulate --only \(part) --seed \(seed) --histories 1")
            }
        }
    }

    private static func history(_ part: Part, _ seed: UInt64) throws {
        switch part {
        case .uplink, .broker:
            var world = UplinkWorld(seed: seed, confirm: part == .uplink ? .ingestor : .broker)
            try world.live(events: Int(40 + seed % 50))
            try world.heal()
        case .ranges: try RangesHistory.run(seed: seed)
        case .windows:
            var history = WindowsHistory(seed: seed)
            try history.run()
        case .news:
            var history = NewsHistory(seed: seed)
            try history.run(Int.random(in: 1...8, using: &history.random))
        case .thermostat:
            var history = ThermostatHistory(seed: seed)
            try history.run(Int.random(in: 5...25, using: &history.random))
        }
    }
}
