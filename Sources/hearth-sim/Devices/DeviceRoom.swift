/// A room with a device that measures it and a heat pump behind the device's switch: the physics of `hearth-sim home`, and
/// the faults that pumps and their feedback have. A value: it is told the time and what arrived.
struct DeviceRoom: Sendable {
    /// What is wrong with a device.
    struct Faults: Sendable, Equatable {
        /// Seconds until the state follows a command.
        var lag = 0.3
        /// Share of states that are not sent.
        var lostStates = 0.0
        /// Commands are not taken, and the state says so.
        var isDeaf = false
        /// Commands are taken and confirmed, and nothing runs.
        var lies = false
        /// Share of readings that are broken.
        var brokenReadings = 0.0
    }

    let model: any DeviceModel
    let faults: Faults
    private(set) var thermal: ThermalRoom
    private(set) var isOn = false
    private(set) var commands = 0
    private let clock: SensorClock
    private let outdoors = Outdoors()
    private var random: SeededRandom
    private var lastMoment: Int64
    private var brokenCount = 0

    init(_ model: any DeviceModel, name: String, faults: Faults, clock: SensorClock, seed: UInt64) {
        (self.model, self.faults, self.clock) = (model, faults, clock)
        random = SeededRandom(seed: seed, room: name)
        thermal = ThermalRoom(using: &random)
        lastMoment = clock.start
    }

    /// What takes a running pump's place in the physics.
    private var heats: Bool { isOn && !faults.lies }

    private mutating func advance(_ elapsed: Int64) -> Int64 {
        let moment = clock.microseconds(afterNanoseconds: elapsed)
        thermal.advance(
            seconds: Double(moment - lastMoment) / 1e6, outdoor: outdoors.temperature(atMicroseconds: moment),
            isHeated: heats)
        lastMoment = max(lastMoment, moment)
        return moment
    }

    /// - Parameter elapsed: real nanoseconds since the start.
    /// - Returns: the number that is told, nil for a broken reading.
    mutating func readings(after elapsed: Int64) -> (number: String?, messages: [Said]) {
        let moment = advance(elapsed)
        if Double.random(in: 0..<1, using: &random) < faults.brokenReadings {
            brokenCount += 1
            return (nil, model.broken(brokenCount - 1))
        }
        let noise = Double.random(in: -0.05...0.05, using: &random)
        let celsius = thermal.temperature + noise
        let number = model.number(of: celsius)
        let state = model.repeatsState ? model.state(isOn: isOn, watts: heats ? 850 : 0) : []
        return (number, model.readings(number, celsius: celsius, second: moment / 1_000_000) + state)
    }

    /// - Returns: whether the command was understood; a deaf device understands and does nothing.
    mutating func command(_ payload: [UInt8], after elapsed: Int64) -> Bool {
        guard let wanted = model.isOn(command: payload) else { return false }
        _ = advance(elapsed)
        commands += 1
        if !faults.isDeaf { isOn = wanted }
        return true
    }

    /// What it says of its switch; empty when that gets lost.
    mutating func state() -> [Said] {
        guard Double.random(in: 0..<1, using: &random) >= faults.lostStates else { return [] }
        return model.state(isOn: isOn, watts: heats ? 850 : 0)
    }
}
