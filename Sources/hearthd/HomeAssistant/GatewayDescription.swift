import Heating
import MQTT
import Machine

/// What the gateway says of itself to Home Assistant: retained under `hearth/gateway/state`.
struct GatewayState: Equatable, Sendable {
    static let topic = StateTopic.prefix + "gateway/state"
    /// Home Assistant takes no longer states (its `MAX_LENGTH_STATE_STATE` is 255).
    private static let longestState = 250

    /// nil: there is no cloud.
    var isCloudConnected: Bool?
    /// Readings that wait for the cloud.
    var backlog: Int64?
    /// The most urgent one's text; nil without any.
    var firstAlarm: String?
    var alarms = 0

    var publication: Publication {
        let alarm = firstAlarm ?? "none"
        let short = alarm.count > Self.longestState ? alarm.prefix(Self.longestState - 1) + "…" : alarm[...]
        let state: JSON = [
            "cloud": JSON(isCloudConnected) { .string($0 ? "ON" : "OFF") },
            "backlog": JSON(backlog) { JSON($0) },
            "alarm": .string(String(short)), "alarms": JSON(alarms), "alarm_text": JSON(firstAlarm) { .string($0) },
            "version": .string(Version.current),
        ]
        return Publication(topic: Self.topic, payload: state.bytes, qos: 1, retain: true)
    }

    /// Whether more than the backlog, which changes with every reading, is another.
    func isNews(after old: GatewayState?) -> Bool {
        var same = self
        same.backlog = old?.backlog
        return same != old || (backlog == 0) != (old?.backlog == 0)
    }
}

extension GatewayState {
    init(_ report: StatusReport) {
        let findings = report.findings
        let isEnabled = report.state.configuration.isCloudEnabled
        self.init(
            isCloudConnected: isEnabled ? report.links.first { $0.name == "uplink" }?.isConnected ?? false : nil,
            backlog: isEnabled ? report.forward.report.uplink["backlog"]?.int : nil,
            firstAlarm: findings.first?.text, alarms: findings.count)
    }
}

/// The gateway as Home Assistant's device, to which the rooms' devices refer.
struct GatewayDescription {
    let home: HomeID
    let gateway: String
    let page: String?
    let hasCloud: Bool

    var device: JSON {
        let link: [(key: String, value: JSON)] = page.map { [("cu", .string($0))] } ?? []
        return .object(
            .init(
                [
                    ("ids", [.string(gateway)]), ("name", .string("Heating \(home.displayName)")), ("mf", "Hearth"),
                    ("mdl", "Gateway"), ("sw", .string(Version.current)),
                ] + link))
    }

    var components: [(key: String, value: JSON)] {
        ((hasCloud ? [cloud, backlog] : []) + [alarm, version]).map { name, members in
            let id = "\(gateway)_gateway_\(name)"
            return (
                id,
                .object(
                    .init(
                        [("uniq_id", .string(id)), ("stat_t", .string(GatewayState.topic)), ("ent_cat", "diagnostic")]
                            + members))
            )
        }
    }

    private typealias Component = (String, [(key: String, value: JSON)])

    private var cloud: Component {
        (
            "cloud",
            [
                ("p", "binary_sensor"), ("name", "Cloud"), ("dev_cla", "connectivity"),
                ("val_tpl", "{{ value_json.cloud }}"),
            ]
        )
    }

    private var backlog: Component {
        (
            "backlog",
            [
                ("p", "sensor"), ("name", "Waiting for the cloud"), ("stat_cla", "measurement"),
                ("unit_of_meas", "readings"), ("val_tpl", "{{ value_json.backlog }}"), ("ic", "mdi:cloud-upload"),
            ]
        )
    }

    private var alarm: Component {
        (
            "alarm",
            [
                ("p", "sensor"), ("name", "Alarm"), ("val_tpl", "{{ value_json.alarm }}"), ("ic", "mdi:alert"),
                ("json_attr_t", .string(GatewayState.topic)),
                (
                    "json_attr_tpl",
                    "{{ {'alarms': value_json.alarms, 'text': value_json.alarm_text} | tojson }}"
                ),
            ]
        )
    }

    private var version: Component {
        ("version", [("p", "sensor"), ("name", "Version"), ("val_tpl", "{{ value_json.version }}")])
    }
}
