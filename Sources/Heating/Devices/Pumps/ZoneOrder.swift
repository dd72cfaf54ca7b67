/// In which order a pump and the valves of its rooms are moved, whatever each of them has done so far: a valve opens before
/// the pump starts, and closes after it has stopped; while the pump runs one of them is open. Pure, and asked again after
/// every step and every word of a device, until it has none.
public enum ZoneOrder {
    /// What is known of one valve, or of the pump.
    public struct Standing: Equatable, Sendable {
        /// What it was told; nil: nothing yet.
        public var told: Bool?
        /// What it is: by its own word, or presumed where it has none; nil: nobody knows.
        public var isOn: Bool?

        public init(told: Bool? = nil, isOn: Bool? = nil) {
            (self.told, self.isOn) = (told, isOn)
        }

        fileprivate var isOpen: Bool { told == true && isOn == true }
    }

    /// What may be done now. A valve that is not known to be open lets no water through.
    /// - Parameter isOpenAnyway: some room of the pump has no valve.
    public static func steps(
        to decision: PumpGroup.Decision, pump: Standing, valves: [Room: Standing], isOpenAnyway: Bool
    ) -> [PumpGroup.Step] {
        var steps = decision.open.sorted().filter { valves[$0].map { $0.told != true } ?? false }
            .map { PumpGroup.Step.valve($0, isOpen: true) }
        let hasWay = isOpenAnyway || valves.values.contains(where: \.isOpen)
        let keepsWay = isOpenAnyway || decision.open.contains { valves[$0]?.isOpen == true }
        if decision.isOn {
            if pump.told != true, keepsWay { steps.append(.pump(isOn: true)) }
            // Somebody closed the last one, or it broke: better a stop before its time than a pump against closed valves.
            if pump.told == true, !hasWay { steps.append(.pump(isOn: false)) }
        } else if pump.told != false {
            steps.append(.pump(isOn: false))
        }
        let hasStopped = pump.told == false && pump.isOn == false
        if hasStopped || (decision.isOn && keepsWay) {
            steps += valves.keys.sorted().filter { !decision.open.contains($0) && valves[$0]?.told != false }
                .map { .valve($0, isOpen: false) }
        }
        return steps
    }
}
