import Heating
import MQTT
import Machine

/// The retained `<home>/gateway/status` on the cloud broker. `offline` is also the last will.
enum GatewayStatus {
    /// - Parameter time: what the wall's clock shows.
    static func online(_ home: HomeID, backlog: Int64, time: Timestamp) -> Publication {
        publication(
            home,
            [
                ("status", .string("online")), ("backlog", .number("\(backlog)")),
                ("version", .string(Version.current)), ("time", .string(time.description)),
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
