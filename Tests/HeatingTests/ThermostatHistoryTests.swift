import Heating
import SimulationModel
import Testing

/// Random histories against a model of the rules and a model of the pump, both written from the contract.
@Suite struct ThermostatHistoryTests {
    /// The rule everybody begins with, in five lines.
    private func reference(_ value: Double, _ isOn: Bool?) -> Bool? {
        if [100.0, 85, -127].contains(value) || value < -40 || value > 60 { return isOn }
        if value < 20.0 { return true }
        if value > 25.0 { return false }
        return isOn
    }

    @Test func readingsAloneEqualTheFiveLineReference() throws {
        for seed in seeds(20_000, "readingsAlone") {
            var random = SeededGenerator(seed: seed)
            var thermostat = Thermostat(now: .zero)
            var expected: Bool?
            var value = Double.random(in: 10...30, using: &random)
            for second in 1...Int64.random(in: 5...30, using: &random) {
                value += Double.random(in: -3...3, using: &random)
                let reading =
                    random.chance(1, in: 5)
                    ? random.pick([100.0, 85, -127, 60, 60.01, -40, -40.01, 20, 25, 19.999_999, 25.000_001]) : value
                let before = expected
                expected = reference(reading, expected)
                let actions = thermostat.handle(.reading(reading), now: .zero + .seconds(second))
                guard expected != before, let expected else {
                    try check(actions.isEmpty, seed, "\(actions) at \(reading)")
                    continue
                }
                guard case .command(let isOn, _, let isRefresh)? = actions.first, actions.count == 1 else {
                    throw Broken(sentence: "\(actions) at \(reading)", seed: seed)
                }
                try check(isOn == expected && !isRefresh, seed, "\(actions) at \(reading)")
                try check(reading != 100 && !(isOn && reading > 25) && !(!isOn && reading < 20), seed, "\(actions)")
            }
        }
    }

    /// Every history is a new house: readings, faults, silence, restarts, overrides and holds from all sources, a
    /// cloud that comes and goes, a schedule, a clock that jumps. `simulate` runs many more of them, optimized.
    @Test func anythingThatHappensKeepsTheRules() throws {
        for seed in seeds(2000, "anythingThatHappens") {
            var history = ThermostatHistory(seed: seed)
            try history.run(Int.random(in: 5...25, using: &history.random))
        }
    }
}
