/// What a reading measures: `temperature`, which is obeyed, or another name, which is recorded. A level of topics, a member
/// of events, a part of names in the database: 1 to 64 small letters, digits and `_`, so that nothing of it ever has to be
/// escaped.
public struct Measure: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let temperature = Measure(known: "temperature")
    /// So many measures without a place in ``known`` may one home have.
    public static let othersLimit = 64
    private static let lengthLimit = 64
    /// Levels of topics with another meaning.
    private static let reserved: Set = ["heatpump", "gateway", "ack", "status", "stored", "frame", "set"]

    public let name: String

    /// Nil for what cannot be one.
    public init?(_ text: some StringProtocol) {
        guard Self.problem(text) == nil else { return nil }
        name = String(text)
    }

    private init(known name: String) { self.name = name }

    /// Why a text is no measure, to be put behind its key; nil for one.
    public static func problem(_ text: some StringProtocol) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || byte &- UInt8(ascii: "0") <= 9 || byte &- UInt8(ascii: "a") < 26
        }
        guard isName, !text.isEmpty, text.utf8.count <= lengthLimit, text.utf8.first != UInt8(ascii: "_") else {
            let shown = escapingControls(String(text.prefix(lengthLimit)))
            return "must be small letters, digits and _, such as \"humidity\"; not \"\(shown)\""
        }
        guard !reserved.contains(String(text)) else { return "must not be \"\(text)\", which has another meaning" }
        return nil
    }

    public var description: String { name }
    public static func < (left: Measure, right: Measure) -> Bool { left.name < right.name }

    /// Whether it is in °C, and may be read in °F and K.
    public var isTemperature: Bool { name == "temperature" || name.hasSuffix("_temperature") || name == "outdoor" }

    /// What the number is in, for people; empty where that is not known.
    public var unit: String { isTemperature ? "°C" : Self.known[name]?.unit ?? "" }

    /// What Home Assistant calls it (`device_class`); nil where it has no name for it, or not for this unit.
    public var deviceClass: String? { isTemperature ? "temperature" : Self.known[name]?.deviceClass }

    /// Whether it only ever grows, as a meter does.
    public var isTotal: Bool { name == "energy" }

    // MARK: Those that are known

    /// Unit and Home Assistant's class: https://developers.home-assistant.io/docs/core/entity/sensor/#available-device-classes.
    /// None where devices differ: Zigbee2MQTT's `voltage` of a battery is in mV, its `voc` in ppb or µg/m³.
    private static let known: [String: (unit: String, deviceClass: String?)] = [  // Own names: measures.
        "battery": ("%", "battery"), "co2": ("ppm", "carbon_dioxide"), "current": ("A", "current"),
        "energy": ("kWh", "energy"), "humidity": ("%", "humidity"), "illuminance": ("lx", "illuminance"),
        "moisture": ("%", "moisture"), "pm10": ("µg/m³", "pm10"), "pm25": ("µg/m³", "pm25"),
        "power": ("W", "power"), "pressure": ("hPa", "atmospheric_pressure"), "position": ("%", nil),
        "voc": ("", nil), "voltage": ("", nil),
    ]
    private static let temperatures = [
        "external_temperature", "floor_temperature", "flow_temperature", "local_temperature", "outdoor",
        "outdoor_temperature", "outside_temperature", "return_temperature", "water_temperature",
    ]

    /// The measures that ingest asks the cloud broker for by name, beside the temperature. Others travel in frames.
    public static let common: [Measure] = (known.keys + temperatures).sorted().map { Measure(known: $0) }
    private static let commonNames = Set(common)

    /// What a house may call the temperature outdoors, the name that somebody gave by hand first; the last is what heat pumps and
    /// boilers tell of their own sensor (``DeviceKind/builtIn``).
    public static let outdoors = ["outdoor", "outdoor_temperature", "outside_temperature"].map { Measure(known: $0) }

    /// Whether it is the temperature or one of ``common``.
    public var isCommon: Bool { self == .temperature || Self.commonNames.contains(self) }
}
