import Heating

/// One message of a device.
struct Said: Equatable, Sendable {
    var topic: String
    var payload: String
    var isRetained = false
}

/// How one kind of device speaks: a sensor and a switch in one, on a connection of its own. A value without a clock.
protocol DeviceModel: Sendable {
    /// What it announces when it connects: lists, discovery, that it is there.
    var announcements: [Said] { get }
    /// What the broker says for it when it is gone.
    var will: Said { get }
    /// Where it takes commands.
    var commandTopic: String { get }
    /// Nil for what it does not understand.
    func isOn(command payload: [UInt8]) -> Bool?
    /// The temperature in the digits and the unit that it writes.
    func number(of celsius: Double) -> String
    /// What it says of its room.
    /// - Parameters:
    ///   - number: as ``number(of:)`` has it.
    ///   - second: of its own clock, since 1970.
    func readings(_ number: String, celsius: Double, second: Int64) -> [Said]
    /// Whether it says the state of its switch with each reading, too.
    var repeatsState: Bool { get }
    /// What it says of its switch.
    func state(isOn: Bool, watts: Double) -> [Said]
    /// What its kind is known to write when the sensor fails.
    func broken(_ number: Int) -> [Said]
}

extension DeviceModel {
    var repeatsState: Bool { false }
}

/// The kinds that are played, each with the room it plays.
enum DeviceKindName: String, CaseIterable, Sendable {
    case zigbee2mqtt, tasmota, shelly, esphome, heishamon

    var room: String {
        switch self {
        case .zigbee2mqtt: "office"
        case .tasmota: "kitchen"
        case .shelly: "bathroom"
        case .esphome: "bedroom"
        case .heishamon: "living-room"
        }
    }

    func model(isFahrenheit: Bool) -> any DeviceModel {
        switch self {
        case .zigbee2mqtt: ZigbeeDevice(room: room)
        case .tasmota: TasmotaDevice(room: room, isFahrenheit: isFahrenheit)
        case .shelly: ShellyDevice()
        case .esphome: ESPHomeDevice(room: room)
        case .heishamon: HeishaMonDevice()
        }
    }
}

/// A number as C's `%.nf` writes it.
func decimals(_ value: Double, _ digits: Int) -> String {
    guard digits > 0 else { return "\(Int(value.rounded()))" }
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((value * Double(scale)).rounded())
    let fraction = String(abs(scaled) % scale)
    return "\(scaled < 0 ? "-" : "")\(abs(scaled) / scale)."
        + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
}

/// ISO 8601 in UTC without a zone, whole seconds.
func isoSecond(_ second: Int64) -> String {
    String(Timestamp(nanoseconds: second * 1_000_000_000).description.prefix(19))
}
