import Testing

@testable import Heating

@Suite("Devices: pumps and valves")
struct DevicePumpTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
    private let office = Room("office")!
    private let bath = Room("bath")!

    private func pump(_ kind: String, _ change: (inout PumpTable) -> Void = { _ in }) throws -> PumpRule {
        var table = PumpTable()
        table.rooms = ["office"]
        table.device = "hp"
        change(&table)
        return try PumpRule(kind: kind, table.over(try #require(DeviceKind.builtIn(kind)).pump))
    }

    private func text(_ command: PumpRule.Command) -> String {
        "\(command.topic) \(String(decoding: command.payload, as: UTF8.self))"
    }

    @Test(
        "what is published, for each kind",
        arguments: [
            ("hearth", #"office/heatpump {"status": "1"}"#), ("zigbee2mqtt", #"zigbee2mqtt/hp/set {"state": "ON"}"#),
            ("tasmota", "cmnd/hp/POWER ON"), ("shelly", "hp/command/switch:0 on"),
            ("shelly1", "shellies/hp/relay/0/command on"),
            ("esphome", "hp/switch/heatpump/command ON"), ("homie", "homie/hp/heatpump/on/set true"),
            ("heishamon", "panasonic_heat_pump/commands/SetHeatpump 1"),
            ("ems-esp", "ems-esp/boiler/heatingactivated on"),
        ])
    func commands(kind: String, published: String) throws {
        #expect(try pump(kind).commands(isOn: true).map(text) == [published])
    }

    @Test("target, room and mode are filled in")
    func target() throws {
        let rule = try pump("plain") {
            $0.command = "ac/{device}/set"
            $0.on = #"{"temperature": {target}, "room": "{room}"}"#
            $0.off = "off"
            $0.mode = "ac/{device}/mode"
        }
        #expect(rule.needsTarget)
        #expect(
            rule.commands(isOn: true, target: 21.46, room: office).map(text) == [
                "ac/hp/mode heat", #"ac/hp/set {"temperature": 21.5, "room": "office"}"#,
            ])
        #expect(rule.commands(isOn: false).map(text) == ["ac/hp/mode off", "ac/hp/set off"])
    }

    @Test("a device that is switched by its mode is told no temperature while it rests")
    func modeAlone() throws {
        let rule = try pump("plain") {
            ($0.mode, $0.targetCommand, $0.targetStep) = ("m2m/{device}/mode/set", "m2m/{device}/temp/set", 1)
            ($0.state, $0.stateValue) = ("m2m/{device}/state", "mode")
        }
        let state = try #require(rule.state)
        #expect(
            state.read(Array(#"{"mode":"heat"}"#.utf8)) == true && state.read(Array(#"{"mode":"off"}"#.utf8)) == false)
        #expect(rule.isSwitched && rule.mainTopic == "m2m/hp/mode/set")
        #expect(rule.commands(isOn: true, target: 21.4).map(text) == ["m2m/hp/mode/set heat", "m2m/hp/temp/set 21.0"])
        #expect(rule.commands(isOn: false, target: 21.4).map(text) == ["m2m/hp/mode/set off"])
        let valve = try pump("plain") { $0.targetCommand = "trv/set" }
        #expect(!valve.isSwitched && valve.commands(isOn: false, target: 5).map(text) == ["trv/set 5.0"])
    }

    @Test(
        "what devices say of themselves",
        arguments: [
            ("zigbee2mqtt", #"{"state":"ON","power":812}"#, true), ("zigbee2mqtt", #"{"state":"OFF"}"#, false),
            ("zigbee2mqtt", #"{"power":3}"#, nil),
            ("tasmota", "ON", true), ("tasmota", "OFF", false),
            ("shelly", #"{"id":0,"output":true,"apower":0.0}"#, true),
            ("shelly", #"{"id":0,"output":false}"#, false), ("shelly1", "off", false), ("esphome", "ON", true),
            ("heishamon", "1", true),
            ("heishamon", "0", false), ("heishamon", "-1", nil), ("ems-esp", #"{"heatingactivated":"on"}"#, true),
            ("homie", "true", true),
            ("shelly", "\u{0}\u{1}", nil),
            // EMS-ESP's bool_format, Tasmota's StateText, Zigbee2MQTT with a converter of one's own.
            ("ems-esp", #"{"heatingactivated":true}"#, true), ("ems-esp", #"{"heatingactivated":1}"#, true),
            ("ems-esp", #"{"heatingactivated":"ON"}"#, true), ("ems-esp", #"{"heatingactivated":false}"#, false),
            ("ems-esp", #"{"heatingactivated":0}"#, false), ("tasmota", "1", true), ("tasmota", "0", false),
            ("zigbee2mqtt", #"{"state":true}"#, true), ("homie", "ON", true),
            ("heishamon", "off", false), ("heishamon", "2", nil),
        ] as [(String, String, Bool?)])
    func states(kind: String, payload: String, isOn: Bool?) throws {
        #expect(try #require(try pump(kind).state).read(Array(payload.utf8)) == isOn)
    }

    @Test(
        "availability",
        arguments: [
            ("zigbee2mqtt", #"{"state":"offline"}"#, false), ("tasmota", "Online", true), ("tasmota", "Offline", false),
            ("shelly", "false", false),
            ("esphome", "offline", false), ("homie", "lost", false), ("homie", "ready", true),
            ("heishamon", "Online", true),
            // https://www.zigbee2mqtt.io/guide/configuration/device-availability.html: the default until 2.0.
            ("zigbee2mqtt", "offline", false), ("zigbee2mqtt", "online", true),
        ])
    func availability(kind: String, payload: String, isThere: Bool) throws {
        #expect(try #require(try pump(kind).available).read(Array(payload.utf8)) == isThere)
    }

    @Test("another command topic leaves the kind's feedback behind")
    func otherCommand() throws {
        let rule = try pump("tasmota") { $0.command = "cmnd/else/POWER2" }
        #expect(rule.state == nil && rule.available == nil)
    }

    @Test("a command is repeated until it is confirmed, then left alone")
    func repetition() {
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        #expect(feedback.repeats(now: at(1)) == nil)
        #expect(feedback.repeats(now: at(2)) == true)
        #expect(feedback.repeats(now: at(3)) == nil)
        #expect(feedback.repeats(now: at(6)) == true)
        #expect(feedback.heard(isOn: false, now: at(6)) == nil)
        #expect(feedback.heard(isOn: true, now: at(7)) == .confirmed)
        #expect(feedback.repeats(now: at(1000)) == nil)
        #expect(feedback.problem(now: at(1000)) == nil)
    }

    @Test("an unconfirmed command is a problem within a minute and until it is confirmed")
    func unconfirmed() {
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        #expect(feedback.problem(now: at(44)) == nil)
        #expect(feedback.problem(now: at(46)) == .unconfirmed(isOn: true, since: at(0)))
        #expect(feedback.nextDeadline(now: at(3)).map { $0 <= at(45) } == true)
        _ = feedback.heard(isOn: true, now: at(50))
        #expect(feedback.problem(now: at(51)) == nil)
    }

    @Test(
        "a state that says nothing, such as a cleared topic, is no hand that switched the pump off",
        arguments: [
            ("tasmota", "", nil), ("tasmota", "unknown", nil), ("tasmota", "OFFLINE", nil), ("tasmota", "OFF", false),
            ("shelly1", "null", nil), ("shelly1", "overpower", false),
            ("zigbee2mqtt", #"{"state":""}"#, nil), ("zigbee2mqtt", #"{"state":null}"#, nil),
            ("zigbee2mqtt", #"{"state":"unavailable"}"#, nil), ("zigbee2mqtt", #"{"state":"OFF"}"#, false),
            ("esphome", "\"\"", nil), ("esphome", "on", true),
        ] as [(String, String, Bool?)])
    func stateThatSaysNothing(kind: String, payload: String, expected: Bool?) throws {
        #expect(try #require(pump(kind).state).read(Array(payload.utf8)) == expected)
    }

    @Test(
        "a presence that says nothing keeps the one before, and what says that the device is away is believed",
        arguments: [
            ("tasmota", "", nil), ("tasmota", "Offline", false), ("tasmota", "unavailable", false),
            ("tasmota", "Online", true), ("shelly1", "false", false),
        ] as [(String, String, Bool?)])
    func presenceThatSaysNothing(kind: String, payload: String, expected: Bool?) throws {
        #expect(try #require(pump(kind).available).read(Array(payload.utf8)) == expected)
    }

    @Test("a switch by another hand is told; a late or kept word is not one")
    func foreign() {
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        #expect(feedback.heard(isOn: false, now: at(1)) == nil)
        _ = feedback.heard(isOn: true, now: at(2))
        #expect(feedback.heard(isOn: false, isRetained: true, now: at(3)) == nil)
        _ = feedback.heard(isOn: true, now: at(4))
        #expect(feedback.heard(isOn: false, now: at(5)) == .foreign(isOn: false))
        var adopted = feedback
        adopted.adopt(false, now: at(6))
        #expect(adopted.isConfirmed && adopted.repeats(now: at(60)) == nil)
        feedback.reassert(now: at(6))
        #expect(feedback.repeats(now: at(6)) == true)
    }

    @Test("an offline pump is said to be offline, is not shouted at, and is told again when it is back")
    func offline() {
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        _ = feedback.heard(isOn: true, now: at(1))
        #expect(feedback.heard(isAvailable: false, now: at(10)) == .wentOffline)
        #expect(feedback.problem(now: at(11)) == .offline(since: at(10)))
        feedback.told(false, now: at(20))
        #expect(feedback.repeats(now: at(100)) == nil)
        #expect(feedback.heard(isAvailable: true, now: at(200)) == .cameBack)
        #expect(feedback.repeats(now: at(200)) == false)
    }

    // The bridge's state is retained and always told; availability of devices must be switched on:
    // https://www.zigbee2mqtt.io/guide/configuration/device-availability.html.
    @Test("a pump behind a gateway that is offline cannot be reached, whatever it said itself")
    func bridge() throws {
        let rule = try pump("zigbee2mqtt")
        #expect(rule.filters.contains("zigbee2mqtt/bridge/state"))
        #expect(rule.bridge?.read(Array(#"{"state":"offline"}"#.utf8)) == false)
        #expect(rule.bridge?.read(Array("online".utf8)) == true)
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        _ = feedback.heard(isOn: true, now: at(1))
        #expect(feedback.heard(isAvailable: true, now: at(2)) == nil)
        #expect(feedback.heard(isAvailable: false, ofBridge: true, now: at(10)) == .wentOffline)
        #expect(feedback.problem(now: at(11)) == .offline(since: at(10), isBridge: true))
        #expect(feedback.heard(isAvailable: false, now: at(20)) == nil)
        #expect(feedback.heard(isAvailable: true, ofBridge: true, now: at(30)) == nil, "it is away itself")
        #expect(feedback.problem(now: at(31)) == .offline(since: at(10)))
        #expect(feedback.heard(isAvailable: true, now: at(40)) == .cameBack)
        #expect(feedback.repeats(now: at(40)) == true)
    }

    @Test("watts tell whether it really runs, not before it had time to start")
    func watts() {
        var feedback = PumpFeedback(hasState: true)
        feedback.told(true, now: at(0))
        _ = feedback.heard(isOn: true, now: at(1))
        feedback.heard(watts: 2)
        #expect(feedback.problem(now: at(200)) == nil)
        #expect(feedback.problem(now: at(301)) == .notRunning(watts: 2))
        feedback.heard(watts: 900)
        #expect(feedback.problem(now: at(302)) == nil)
        feedback.told(false, now: at(400))
        _ = feedback.heard(isOn: false, now: at(401))
        #expect(feedback.problem(now: at(701)) == .stillRunning(watts: 900))
    }

    @Test("without a state nothing is repeated and nothing unconfirmed")
    func noState() {
        var feedback = PumpFeedback(hasState: false)
        feedback.told(true, now: at(0))
        #expect(feedback.repeats(now: at(100)) == nil && feedback.problem(now: at(1000)) == nil)
    }

    // MARK: Groups

    @Test("on while one room calls; the shortest run and rest are the pump's")
    func group() {
        var group = PumpGroup(rooms: [office, bath], minOn: .seconds(300), minOff: .seconds(300), now: at(0))
        group.set(office, calls: true)
        let held = group.decide(now: at(10))
        #expect(!held.isOn && held.heldUntil == at(300))
        #expect(group.decide(now: at(300)).isOn)
        group.set(bath, calls: true)
        group.set(office, calls: false)
        #expect(group.decide(now: at(320)).isOn)
        group.set(bath, calls: false)
        #expect(group.decide(now: at(330)).heldUntil == at(600))
        #expect(!group.decide(now: at(600)).isOn)
        // Frost does not wait for the shortest rest.
        #expect(group.decide(frost: [bath], now: at(610)).isOn)
    }

    @Test("valves open before the pump starts, close after it, and are never all closed while it runs")
    func valves() {
        var group = PumpGroup(
            rooms: [office, bath], valves: [office, bath], minOn: .seconds(300), minOff: .zero, now: at(0))
        group.set(office, calls: true)
        let first = group.decide(now: at(1))
        #expect(first.steps(after: nil) == [.valve(office, isOpen: true), .pump(isOn: true)])
        group.set(office, calls: false)
        let running = group.decide(now: at(10))
        #expect(running.isOn && running.open == [office])
        let stopped = group.decide(now: at(301))
        #expect(stopped.steps(after: running) == [.pump(isOn: false), .valve(office, isOpen: false)])
        // A random history never has a running pump and every valve closed.
        var generator = Seeds(7)
        var now = 400.0
        for _ in 0..<2000 {
            now += Double(generator.next() % 200)
            group.set([office, bath][Int(generator.next() % 2)], calls: [true, false, nil][Int(generator.next() % 3)])
            let decision = group.decide(now: at(now))
            #expect(!decision.isOn || !decision.open.isEmpty)
        }
    }

    private struct Seeds {
        var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
