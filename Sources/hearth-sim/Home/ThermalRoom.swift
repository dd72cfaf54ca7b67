import Glibc

/// One room as a single thermal mass: it loses heat in proportion to how much warmer it is than outdoors, and a
/// running heat pump would hold it `pumpLift` above outdoors in the end.
///
/// `advance` is the exact solution of that differential equation, so the step length does not matter.
struct ThermalRoom: Sendable, Equatable {
    /// Seconds in which the distance to equilibrium falls to 1/e. Real houses: tens of hours; here about an hour, so
    /// that at 60 simulated seconds per second a room crosses 20 to 25 °C within tens of real seconds.
    let timeConstant: Double
    /// How far above outdoors the running pump would hold the room, in kelvin.
    let pumpLift: Double
    /// Degrees Celsius.
    private(set) var temperature: Double

    init(timeConstant: Double, pumpLift: Double, temperature: Double) {
        self.timeConstant = timeConstant
        self.pumpLift = pumpLift
        self.temperature = temperature
    }

    /// A room with its own insulation, radiator and starting temperature.
    init(using random: inout SeededRandom) {
        timeConstant = Double.random(in: 3_600...5_400, using: &random)
        pumpLift = Double.random(in: 38...46, using: &random)
        temperature = Double.random(in: 17...22, using: &random)
    }

    /// Lets `seconds` of simulated time pass.
    mutating func advance(seconds: Double, outdoor: Double, isHeated: Bool) {
        guard seconds > 0 else { return }
        let equilibrium = outdoor + (isHeated ? pumpLift : 0)
        temperature = equilibrium + (temperature - equilibrium) * exp(-seconds / timeConstant)
    }
}

/// The weather around the house: a cold day, coldest at four in the morning, warmest at four in the afternoon.
struct Outdoors: Sendable, Equatable {
    var mean = 4.0
    var swing = 3.0

    /// Degrees Celsius at a moment given in microseconds since 1970, UTC.
    func temperature(atMicroseconds moment: Int64) -> Double {
        let day = 86_400.0
        let secondOfDay = (Double(moment) / 1e6).truncatingRemainder(dividingBy: day)
        return mean - swing * cos(2 * .pi * (secondOfDay - 4 * 3_600) / day)
    }
}
