import HTTP
import Heating
import Logging
import MQTT
import Machine
import Prometheus

/// `hearth-cloud homes serve`: the homes of a broker as a page, as JSON and as metrics, beside the probes.
final class FleetService: ProbedService {
    struct Settings {
        /// How long a home that says it is there may say nothing.
        var patience: Duration
        /// Where Grafana has the dashboard of a home; nil: no links.
        var grafana: GrafanaAddress?
    }

    private let fleet: Fleet
    private let connection: Connection
    private let settings: Settings

    init(broker: ConnectionSettings, settings: Settings, logger: Logger) {
        let fleet = Fleet()
        self.fleet = fleet
        self.settings = settings
        connection = Connection(broker, name: "homes") { FleetLink(fleet, logger: logger) }
    }

    func start() throws { try connection.start() }
    func stop() { connection.stop(within: 500_000_000) }

    var standstill: String? { connection.standstill(of: "the link to the cloud broker", now: Clock.bootNanoseconds) }

    var hindrances: [String] {
        switch connection.state {
        case .connected: break
        case .waiting(_, let error): return ["cloud broker: \(error)"]
        default: return ["cloud broker: connecting"]
        }
        if let problem = fleet.problem { return ["cloud broker: \(problem)"] }
        return fleet.isListed ? [] : ["cloud broker: it has not said yet what it keeps of the homes"]
    }

    var notes: [String] {
        fleet.isFull ? ["there are more than \(Fleet.limit) homes: the others are not shown"] : []
    }

    var samples: [MetricSample] { FleetMetrics.samples(homes) }

    private var homes: [Fleet.Home] {
        fleet.homes(patience: settings.patience, now: Clock.bootNanoseconds, wall: Clock.wall)
    }

    func page(_ path: String) -> HTTPResponse? {
        switch path {
        case "/":
            let page = FleetPage(homes: homes, problems: hindrances + notes, grafana: settings.grafana)
            return HTTPResponse(200, headers: FleetPage.headers, body: .bytes(page.html))
        case "/homes.json":
            let homes = homes.sorted(by: Fleet.Home.isMoreUrgent).map(\.json)
            let problems = (hindrances + notes).map { JSON.string($0) }
            let json: JSON = ["homes": .array(homes), "problems": .array(problems)]
            return HTTPResponse(200, text: json.serialized() + "\n", type: "application/json")
        default: return nil
        }
    }
}

extension Fleet.Home {
    /// As `homes list --json` has it, with `silent`, and `age` in seconds where it is known.
    var json: JSON {
        guard case .object(let object) = report.json else { return report.json }
        var members = object.members
        members.append(("silent", .bool(isSilent)))
        if let age { members.append(("age", JSON(age))) }
        return .object(.init(members))
    }
}

/// What the homes say together. No series of a home's own: ten thousand of them would be most of what Prometheus keeps, each name is
/// chosen outside, and the page and the database's dashboards have the single home.
enum FleetMetrics {
    /// Names of findings come from outside, too; further ones are counted as `other`.
    static let findingLimit = 100

    static func samples(_ homes: [Fleet.Home]) -> [MetricSample] {
        func gauge(
            _ name: String, _ help: String, _ value: Int64, _ labels: [(name: String, value: String)] = []
        ) -> MetricSample {
            MetricSample(name: name, help: help, kind: .gauge, labels: labels, value: Double(value))
        }
        let away = Int64(homes.count { !$0.report.isOnline })
        let oldest = homes.lazy.filter(\.report.isOnline).compactMap(\.age).max() ?? 0
        let waiting = homes.reduce(0) { $0 + ($1.report.backlog ?? 0) }
        var samples = [("online", Int64(homes.count) - away), ("offline", away)].map { state, count in
            gauge("hearth_homes", "Homes by what their gateway's status says.", count, [("state", state)])
        }
        samples += [
            gauge(
                "hearth_homes_silent", "Homes whose status says online, and that have said nothing for too long.",
                Int64(homes.count(where: \.isSilent))),
            gauge(
                "hearth_homes_with_findings", "Homes whose gateway complains of something.",
                Int64(homes.count { !$0.report.findings.isEmpty })),
            gauge("hearth_homes_backlog_readings", "Readings that wait at home.", waiting),
            gauge(
                "hearth_homes_oldest_status_seconds", "Age of the oldest status of a home that is online.",
                max(0, oldest)),
        ]
        return samples
            + findings(homes).map { name, count in
                gauge("hearth_homes_finding", "Homes by what they complain of.", count, [("finding", name)])
            }
    }

    /// How many homes have each, by name.
    private static func findings(_ homes: [Fleet.Home]) -> [(name: String, count: Int64)] {
        var counts: [ExactString: Int64] = [:]
        var others: Int64 = 0
        for home in homes {
            for name in Set(home.report.findings.map { ExactString($0) }) {
                let isName = !name.text.isEmpty && name.text.utf8.allSatisfy(isPlain)
                if isName, counts[name] != nil || counts.count < findingLimit {
                    counts[name, default: 0] += 1
                } else {
                    others += 1
                }
            }
        }
        let named = counts.sorted { $0.key < $1.key }.map { (name: $0.key.text, count: $0.value) }
        return others == 0 ? named : named + [(name: "other", count: others)]
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-")
    }
}
