/// A command to a heat pump: on `<room>/heatpump` at home, and with an optional end on `<home>/<room>/heatpump/set`.
public struct HeatPumpCommand: Equatable, Sendable {
    /// Longest accepted `for`.
    public static let longestDuration: Duration = .seconds(366 * 86_400)
    private static let payloadLimit = 4096

    public var isOn: Bool
    /// How long a command from the cloud counts; nil means the thermostat's `override_ttl`.
    public var duration: Duration?

    public init(isOn: Bool, duration: Duration? = nil) {
        self.isOn = isOn
        self.duration = duration
    }

    /// Exactly `{"status": "1"}` or `{"status": "0"}`, with `"for"` when there is a duration.
    public var payload: [UInt8] {
        let end = duration.map { ", \"for\": \"\($0.iso8601)\"" } ?? ""
        return Array("{\"status\": \"\(isOn ? 1 : 0)\"\(end)}".utf8)
    }

    /// Reads a command. `status` may be a string or a number, `"1"`, `1`, `"0"`, `0`; other keys are ignored.
    public init(payload: some Collection<UInt8>) throws(PayloadError) {
        guard payload.count <= Self.payloadLimit else { throw .oversized }
        let json: JSON
        do throws(JSON.SyntaxError) {
            json = try JSON.parse(payload)
        } catch {
            switch error.problem {
            case .invalidUTF8: throw .invalidUTF8
            case .duplicateKey: throw .duplicateKey
            case .oversized: throw .oversized
            case .unexpected, .tooDeep: throw .notJSON
            }
        }
        guard let object = json.object else { throw .notAnObject }
        switch object["status"] {
        case .string("1"), .number("1"): isOn = true
        case .string("0"), .number("0"): isOn = false
        case nil: throw .missingStatus
        default: throw .badStatus
        }
        guard let end = object["for"], !end.isNull else { return }
        guard let text = end.string, let duration = Duration(iso8601: text), duration > .zero,
            duration <= Self.longestDuration
        else { throw .badDuration }
        self.duration = duration
    }
}
