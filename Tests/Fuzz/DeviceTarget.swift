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
        require(again.timestamp == reading.timestamp, "recorded another time than \(reading.timestampText)")
        if let celsius = reading.obeyed { require(celsius.isFinite, "\(celsius) °C") }
    case .rejected(let rejection), .passedOver(let rejection):
        require(!rules.advice(for: rejection, payload: payload).isEmpty, "no advice for \(rejection.reason)")
    }
}
