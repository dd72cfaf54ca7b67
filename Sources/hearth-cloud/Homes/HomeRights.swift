import Heating

/// What a home may do at the cloud broker, as requests to Mosquitto's dynamic-security plugin, which takes them while the
/// broker runs (mosquitto_ctrl_dynsec(1)). The same rights as systemd/examples/cloud-broker/rights; pure.
enum HomeRights {
    static let topic = "$CONTROL/dynamic-security/v1"
    static let responseTopic = topic + "/response"

    /// Why a home cannot have this name; nil if it can.
    static func problem(_ name: String) -> String? {
        let isName = HomeID(name) != nil && !name.hasPrefix(".") && !name.hasPrefix("-") && !name.hasPrefix("$")
        let isTaken = ["hearth-cloud", "hearth-admin", "admin"].contains(name)
        if isTaken { return "\"\(name)\" is the name of a user of the cloud's own" }
        return isName
            ? nil : "\"\(name)\" cannot be a home's name: one topic level without + and #, not starting with . - or $"
    }

    /// - Parameter password: nil for a home that logs in with a certificate of its name.
    static func adding(_ home: String, password: String?) -> JSON {
        let role = JSON.string("home \(home)")
        var client: [(key: String, value: JSON)] = [
            ("command", "createClient"), ("username", .string(home)), ("roles", [["rolename": role]]),
        ]
        if let password { client.append(("password", .string(password))) }
        return [
            "commands": [
                ["command": "createRole", "rolename": role, "acls": .array(acls(home))], .object(.init(client)),
            ]
        ]
    }

    /// Also ends the home's connection.
    static func revoking(_ home: String) -> JSON {
        [
            "commands": [
                ["command": "deleteClient", "username": .string(home)],
                ["command": "deleteRole", "rolename": .string("home \(home)")],
            ]
        ]
    }

    private static func acls(_ home: String) -> [JSON] {
        let receiving = ["gateway/ack", "gateway/stored", "+/heatpump/set"]
        let sending = ["+/temperature", "+/heatpump", "frame", "gateway/status"]
        func acl(_ kind: String, _ suffix: String) -> JSON {
            ["acltype": .string(kind), "topic": .string("\(home)/\(suffix)"), "priority": 0, "allow": true]
        }
        return receiving.map { acl("subscribePattern", $0) } + receiving.map { acl("publishClientReceive", $0) }
            + sending.map { acl("publishClientSend", $0) }
    }

    /// What the plugin says to a request, by command; nil where it did as asked.
    static func errors(in response: [UInt8]) -> [(command: String, error: String?)] {
        let answers = (try? JSON.parse(response))?["responses"]?.array ?? []
        return answers.compactMap { answer in
            answer["command"]?.string.map { ($0, answer["error"]?.string) }
        }
    }
}
