import Testing

@testable import hearth_sim

@Suite struct ThermalRoomTests {
    @Test func `an unheated room approaches the outdoor temperature and never passes it`() {
        var room = ThermalRoom(timeConstant: 3_600, pumpLift: 40, temperature: 22)
        var previous = room.temperature
        for _ in 0..<200 {
            room.advance(seconds: 600, outdoor: 4, isHeated: false)
            #expect(room.temperature <= previous)
            #expect(room.temperature >= 4)
            previous = room.temperature
        }
        #expect(abs(room.temperature - 4) < 0.01)
    }

    @Test func `after one time constant the distance to equilibrium is 1 over e of what it was`() {
        var room = ThermalRoom(timeConstant: 3_600, pumpLift: 40, temperature: 24)
        room.advance(seconds: 3_600, outdoor: 4, isHeated: false)
        #expect(abs(room.temperature - (4 + 20 / 2.718281828459045)) < 1e-9)
    }

    @Test func `the step length does not change the outcome`() {
        var once = ThermalRoom(timeConstant: 4_000, pumpLift: 42, temperature: 18)
        var often = once
        once.advance(seconds: 1_800, outdoor: 3, isHeated: true)
        for _ in 0..<1_800 { often.advance(seconds: 1, outdoor: 3, isHeated: true) }
        #expect(abs(once.temperature - often.temperature) < 1e-9)
    }

    @Test func `time does not run backwards`() {
        var room = ThermalRoom(timeConstant: 4_000, pumpLift: 42, temperature: 18)
        room.advance(seconds: -600, outdoor: 3, isHeated: true)
        #expect(room.temperature == 18)
    }

    @Test(arguments: 1...50) func `every room crosses both thresholds within tens of real seconds`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var room = ThermalRoom(using: &random)
        let outdoors = Outdoors()
        var heated = true
        var swings: [Int] = []
        var since = 0
        // A day of simulated time at 60 seconds per real second, with the thermostat's default thresholds.
        for second in 0..<1_440 {
            let moment = Int64(second) * 60_000_000
            room.advance(seconds: 60, outdoor: outdoors.temperature(atMicroseconds: moment), isHeated: heated)
            guard heated ? room.temperature > 25 : room.temperature < 20 else { continue }
            swings.append(second - since)
            heated.toggle()
            since = second
        }
        #expect(swings.count >= 20)
        #expect(swings.allSatisfy { (5...90).contains($0) }, "seconds between switches: \(swings)")
    }

    @Test func `it is coldest at four in the morning and warmest at four in the afternoon`() {
        let outdoors = Outdoors()
        let byHour = (0..<24).map { outdoors.temperature(atMicroseconds: Int64($0) * 3_600_000_000) }
        #expect(byHour.indices.min { byHour[$0] < byHour[$1] } == 4)
        #expect(byHour.indices.max { byHour[$0] < byHour[$1] } == 16)
    }
}
