import Heating

/// One method call of the Varlink protocol: a JSON object, NUL-terminated on the wire (varlink.org/Method-Call).
struct VarlinkCall {
    var method: String
    var parameters: JSON
    var more: Bool
    var oneway: Bool

    /// nil when the bytes are no call.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSON.parse(bytes), let method = json["method"]?.string else { return nil }
        self.method = method
        parameters = json["parameters"] ?? .object(.init())
        more = json["more"]?.bool ?? false
        oneway = json["oneway"]?.bool ?? false
    }
}
