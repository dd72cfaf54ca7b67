import SimulationModel
import Testing

@testable import Heating

@Suite("Zones: the order of a pump and its valves")
struct ZoneOrderTests {
    private let office = Room("office")!
    private let bath = Room("bath")!

    private func steps(
        _ isOn: Bool, open: Set<Room>, pump: (Bool?, Bool?), _ valves: [Room: (Bool?, Bool?)], anyway: Bool = false
    ) -> [PumpGroup.Step] {
        ZoneOrder.steps(
            to: .init(isOn: isOn, open: open), pump: .init(told: pump.0, isOn: pump.1),
            valves: valves.mapValues { .init(told: $0.0, isOn: $0.1) }, isOpenAnyway: anyway)
    }

    @Test("the valve first, and the pump once it is open; the pump stops first, and the valve closes once it has")
    func order() {
        #expect(
            steps(true, open: [office], pump: (false, false), [office: (false, false)]) == [
                .valve(office, isOpen: true)
            ])
        #expect(steps(true, open: [office], pump: (false, false), [office: (true, false)]) == [], "it is still opening")
        #expect(steps(true, open: [office], pump: (false, false), [office: (true, nil)]) == [], "nobody knows")
        #expect(steps(true, open: [office], pump: (false, false), [office: (true, true)]) == [.pump(isOn: true)])
        #expect(steps(false, open: [], pump: (true, true), [office: (true, true)]) == [.pump(isOn: false)])
        #expect(steps(false, open: [], pump: (false, true), [office: (true, true)]) == [], "it still runs")
        #expect(
            steps(false, open: [], pump: (false, false), [office: (true, true)]) == [.valve(office, isOpen: false)])
        #expect(steps(false, open: [], pump: (false, false), [office: (false, false)]) == [])
    }

    @Test("from one room to the other: the second is open before the first closes")
    func handover() {
        let opening: [Room: (Bool?, Bool?)] = [office: (true, true), bath: (true, false)]
        #expect(steps(true, open: [bath], pump: (true, true), opening) == [])
        let open: [Room: (Bool?, Bool?)] = [office: (true, true), bath: (true, true)]
        #expect(steps(true, open: [bath], pump: (true, true), open) == [.valve(office, isOpen: false)])
    }

    @Test("a valve that somebody closed stops the pump, unless there is another way")
    func closedByHand() {
        #expect(steps(true, open: [office], pump: (true, true), [office: (true, false)]) == [.pump(isOn: false)])
        #expect(steps(true, open: [office], pump: (true, true), [office: (true, false)], anyway: true) == [])
        #expect(
            steps(true, open: [office], pump: (true, true), [office: (true, false), bath: (true, true)]) == [],
            "the bath's stays open as long")
    }

    @Test("a valve without a word of its own counts as what it was told; one that should speak, after a while")
    func presumed() {
        var mute = PumpFeedback(hasState: false)
        mute.told(true, now: .zero)
        #expect(mute.standing(now: .zero) == .init(told: true, isOn: true))
        var silent = PumpFeedback(hasState: true)
        silent.told(true, now: .zero)
        #expect(silent.standing(now: .zero) == .init(told: true, isOn: nil))
        #expect(silent.standing(now: .zero + PumpFeedback.patience) == .init(told: true, isOn: true))
        _ = silent.heard(isOn: false, now: .zero)
        #expect(silent.standing(now: .zero + PumpFeedback.patience).isOn == false, "it says so itself")
        var gone = PumpFeedback(hasState: true)
        gone.told(true, now: .zero)
        _ = gone.heard(isAvailable: false, now: .zero)
        #expect(gone.standing(now: .zero + PumpFeedback.patience).isOn == nil)
    }

    /// A pump and valves that take their time, some without a word, and rooms that call as they like.
    private struct World {
        struct Device {
            var feedback: PumpFeedback
            var isOn = false
            /// When it will be what it was told.
            var moves: (isOn: Bool, at: Int64)?

            mutating func tell(_ isOn: Bool, second: Int64, lag: Int64) {
                feedback.told(isOn, now: at(second))
                if feedback.hasState { moves = (isOn, second + lag) } else { self.isOn = isOn }
            }

            mutating func turn(_ second: Int64) {
                guard let move = moves, move.at <= second else { return }
                (isOn, moves) = (move.isOn, nil)
                _ = feedback.heard(isOn: isOn, now: at(second))
            }
        }

        var group: PumpGroup
        var pump: Device
        var valves: [Room: Device]
    }

    @Test("no history has a running pump and every valve closed", arguments: 0..<200 as Range<UInt64>)
    func histories(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed &+ 1)
        let rooms = [office, bath, Room("hall")!]
        func feedback() -> PumpFeedback { PumpFeedback(hasState: Bool.random(using: &random)) }
        var world = World(
            group: PumpGroup(
                rooms: rooms, valves: Set(rooms), minOn: .seconds(60), minOff: .seconds(30), now: at(0)),
            pump: .init(feedback: feedback()),
            valves: Dictionary(uniqueKeysWithValues: rooms.map { ($0, .init(feedback: feedback())) }))
        var ran = false
        for second in 0..<2000 as Range<Int64> {
            world.pump.turn(second)
            for room in rooms { world.valves[room]?.turn(second) }
            if Int.random(in: 0..<40, using: &random) == 0, let room = rooms.randomElement(using: &random) {
                world.group.set(room, calls: Bool.random(using: &random))
            }
            var trial = world.group
            let decision = trial.decide(now: at(second))
            for _ in 0..<8 {
                let steps = ZoneOrder.steps(
                    to: decision, pump: world.pump.feedback.standing(now: at(second)),
                    valves: world.valves.mapValues { $0.feedback.standing(now: at(second)) }, isOpenAnyway: false)
                guard let step = steps.first else { break }
                let lag = Int64.random(in: 1...20, using: &random)
                switch step {
                case .pump(let isOn): world.pump.tell(isOn, second: second, lag: lag)
                case .valve(let room, let isOpen): world.valves[room]?.tell(isOpen, second: second, lag: lag)
                }
                let isAgainstWater = world.pump.isOn && !world.valves.values.contains(where: \.isOn)
                #expect(!isAgainstWater, "second \(second)")
            }
            if world.pump.feedback.standing(now: at(second)).told == decision.isOn { world.group = trial }
            ran = ran || world.pump.isOn
            let isAgainstWater = world.pump.isOn && !world.valves.values.contains(where: \.isOn)
            #expect(!isAgainstWater, "second \(second)")
        }
        #expect(ran)
    }
}

private func at(_ second: Int64) -> Instant { Instant(nanoseconds: (second + 10_000) * 1_000_000_000) }
