import Glibc
import Heating

/// Two rules of every kind: as it is, and with a room of its own on one topic that all share.
private let rules: DeviceRules = {
    var sensors: [SensorRule] = []
    for kind in DeviceKind.builtIn {
        for (index, measure) in ["temperature", "humidity"].enumerated() {
            var table = SensorTable()
            table.measure = measure
            table.room = "living"
            table.retained = "use"
            if index == 0 { table.topic = "all/\(kind.name)" }
            if let rule = try? SensorRule(kind: kind.name, table.over(kind.sensor)) { sensors.append(rule) }
        }
    }
    return DeviceRules(sensors)
}()

private let arrival = Timestamp(nanoseconds: 1_795_953_600_000_000_000)

/// The first line is a topic, the rest a payload, which every kind gets too. A reading is finite, is recorded as the
/// contract's form, and reads back as the same number at the same time.
@Sendable func checkDevice(_ bytes: [UInt8]) {
    let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? 0
    let payload = end == 0 ? bytes : Array(bytes[(end + 1)...])
    let topics = [String(decoding: bytes[..<end], as: UTF8.self)] + DeviceKind.builtIn.map { "all/\($0.name)" }
    for topic in topics {
        for outcome in rules.read(topic: topic, payload: payload, isRetained: false, arrival: arrival) {
            check(outcome, payload)
        }
    }
    checkSearch(bytes, topic: topics[0], payload)
    for path in JSONPath.numbers(in: payload) { require(!path.isEmpty || payload.count < 1100, "a path of \(path)") }
}

private func check(_ outcome: DeviceOutcome, _ payload: [UInt8]) {
    switch outcome {
    case .reading(let reading):
        require(reading.value.isFinite, "\(reading.value) is no reading")
        require(strtod(reading.valueText, nil) == reading.value, "\(reading.valueText) became \(reading.value)")
        guard let again = try? Reading(payload: reading.recordPayload) else {
            require(false, "the record of \(reading.valueText) is none")
            return
        }
        require(again.value == reading.value, "recorded \(reading.value) as \(again.value)")
        require(again.time.timestamp == reading.time.timestamp, "recorded another time than \(reading.time.text)")
        if let celsius = reading.obeyed { require(celsius.isFinite, "\(celsius) °C") }
    case .rejected(let rejection), .passedOver(let rejection):
        require(!rules.advice(for: rejection, payload: payload).text.isEmpty, "no advice for \(rejection.reason)")
    }
}

private let discovery = [
    "zigbee2mqtt/bridge/devices", "tasmota/discovery/x/config", "tasmota/discovery/x/sensors",
    "homeassistant/sensor/x/config",
    "homeassistant/switch/n/x/config", "homeassistant/climate/x/config", "homeassistant/device/x/config",
]

/// What is found in any bytes at all is bounded, is a rule that can be made, and reads what it is said to have read.
private func checkSearch(_ bytes: [UInt8], topic: String, _ payload: [UInt8]) {
    var heard = HeardTopics()
    for listed in discovery { heard.hear(listed, bytes, isRetained: true) }
    heard.hear(topic, payload, isRetained: false)
    heard.hear("home/temperature", payload, isRetained: false)
    for device in DeviceSearch(heard, rules: DeviceRules([]), pumps: [], arrival: arrival).found
    where device.standing == .new {
        guard let kind = DeviceKind.builtIn(device.kind) else {
            require(false, "no kind \(device.kind)")
            return
        }
        switch device.table {
        case .sensor(var table):
            table.room = "room"
            guard let rule = try? SensorRule(kind: kind.name, table.over(kind.sensor)) else {
                require(false, "no rule of \(table)")
                return
            }
            guard let said = device.said, let last = heard[device.topic] else { continue }
            let again = DeviceRules([rule], addsBlackBox: false).read(
                topic: device.topic, payload: last.payload, isRetained: false, arrival: arrival
            ).first
            guard case .reading(let reading)? = again else {
                require(false, "\(device.topic) was read, and is not again")
                return
            }
            require(reading.valueText == said.valueText, "\(said.valueText) became \(reading.valueText)")
        case .pump(var table):
            table.rooms = ["room"]
            require((try? PumpRule(kind: kind.name, table.over(kind.pump))) != nil, "no pump of \(table)")
        }
    }
}
