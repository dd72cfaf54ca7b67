import Heating
import MQTT
import Machine

/// The retained `<home>/gateway/status` on the cloud broker. `offline` is also the last will.
enum GatewayStatus {
    /// A house has few findings at a time, and each is told once, however many rooms it is about.
    private static let findingLimit = 16

    /// - Parameters:
    ///   - time: what the wall's clock shows.
    ///   - findings: names of what is wrong, most urgent first.
    static func online(_ home: HomeID, backlog: Int64, time: Timestamp, findings: [String]) -> Publication {
        var names: [String] = []
        for name in findings where !names.contains(name) && names.count < findingLimit { names.append(name) }
        return publication(
            home,
            [
                ("status", .string("online")), ("backlog", .number("\(backlog)")),
                ("version", .string(Version.current)), ("time", .string(time.description)),
                ("alarms", .array(names.map { .string($0) })),
            ])
    }

    static func offline(_ home: HomeID) -> Publication {
        publication(home, [("status", .string("offline")), ("version", .string(Version.current))])
    }

    private static func publication(_ home: HomeID, _ members: [(key: String, value: JSON)]) -> Publication {
        Publication(
            topic: CloudTopic.status(home).string, payload: JSON.object(.init(members)).bytes, qos: 1,
            retain: true)
    }
}
