import Heating
import MQTT
import Prometheus
import Testing

@testable import hearth_cloud

@Suite("All homes of a broker") struct FleetTests {
    private static let wall = Timestamp(nanoseconds: 1_800_000_000_000_000_000)
    private static let second: Int64 = 1_000_000_000

    private func message(_ home: String, _ payload: String, isRetained: Bool = true) -> Message {
        Message(topic: "\(home)/gateway/status", payload: Array(payload.utf8), isRetained: isRetained)
    }

    private func status(_ home: String, ago: Int64 = 10, more: String = "", isRetained: Bool = true) -> Message {
        let time = Timestamp(nanoseconds: Self.wall.nanoseconds - ago * Self.second)
        return message(home, #"{"status":"online","time":"\#(time)"\#(more)}"#, isRetained: isRetained)
    }

    private func homes(_ fleet: Fleet, at seconds: Int64 = 0) -> [Fleet.Home] {
        let wall = Timestamp(nanoseconds: Self.wall.nanoseconds + seconds * Self.second)
        return fleet.homes(patience: .seconds(300), now: seconds * Self.second, wall: wall)
            .sorted(by: Fleet.Home.isMoreUrgent)
    }

    private func html(_ homes: [Fleet.Home], _ grafana: String? = nil, _ problems: [String] = []) -> String {
        let page = FleetPage(homes: homes, problems: problems, grafana: grafana.flatMap { GrafanaAddress($0) })
        return String(decoding: page.html, as: UTF8.self)
    }

    @Test("who is away comes first, then who complains, then who is behind")
    func order() {
        let fleet = Fleet()
        fleet.begin()
        fleet.take(
            [
                status("well"), status("behind", more: #","backlog":5"#),
                status("complains", more: #","alarms":["disk-low"]"#), status("silent", ago: 301),
                message("gone", #"{"status":"offline"}"#), message("junk", "x"),
                message("a/b", #"{"status":"online"}"#),
            ], now: 0)
        fleet.end()
        let homes = homes(fleet)
        #expect(homes.map(\.report.home) == ["gone", "silent", "complains", "behind", "well"])
        #expect(homes.map(\.isSilent) == [false, true, false, false, false])
        #expect(homes.map(\.age) == [nil, 301, 10, 10, 10])
    }

    @Test("what comes live is dated by its arrival, whatever clock its gateway has")
    func ages() {
        let fleet = Fleet()
        fleet.begin()
        fleet.take([status("home1", ago: 40_000, isRetained: false)], now: 100 * Self.second)
        #expect(homes(fleet, at: 130).map(\.age) == [30])
        #expect(!homes(fleet, at: 400)[0].isSilent && homes(fleet, at: 401)[0].isSilent)
        // The same once more, after the connection was lost: it is no younger for that.
        fleet.begin()
        fleet.take([status("home1", ago: 40_000)], now: 500 * Self.second)
        #expect(homes(fleet, at: 530).map(\.age) == [430])
    }

    @Test("what the broker does not keep any more is gone, at once or when it has said everything again")
    func gone() {
        let fleet = Fleet()
        fleet.begin()
        fleet.take(["home1", "home2", "home3"].map { status($0) }, now: 0)
        #expect(!fleet.isListed)
        fleet.end()
        fleet.take([message("home1", "", isRetained: false)], now: 0)
        #expect(fleet.isListed && homes(fleet).map(\.report.home) == ["home2", "home3"])
        fleet.begin()
        fleet.take([status("home3")], now: 0)
        #expect(homes(fleet).count == 2, "until the broker has said everything, what was known stands")
        fleet.end()
        #expect(homes(fleet).map(\.report.home) == ["home3"])
    }

    @Test("numbers and times that no gateway has end nobody")
    func absurd() {
        let fleet = Fleet()
        fleet.begin()
        let text = #"{"status":"online","backlog":9223372036854775807,"time":"1678-01-01T00:00:00Z"}"#
        fleet.take([message("a", text), message("b", text)], now: 0)
        let homes = homes(fleet)
        #expect(html(homes).contains("readings wait at home") && FleetMetrics.samples(homes).count > 5)
        #expect(HomeList.table(homes.map(\.report), now: Self.wall).contains("2 homes"))
    }

    @Test("more homes than are kept are counted out, and told")
    func limit() {
        let fleet = Fleet()
        fleet.begin()
        fleet.take((0..<Fleet.limit + 2).map { message("h\($0)", #"{"status":"online"}"#) }, now: 0)
        fleet.end()
        #expect(homes(fleet).count == Fleet.limit && fleet.isFull)
    }

    @Test("nothing of a gateway's becomes markup, an attribute or a link's end")
    func escaped() throws {
        let fleet = Fleet()
        fleet.begin()
        let name = #"<img src=x onerror=alert(1)>"'&"#
        fleet.take(
            [
                status(name, more: ##","version":"<script>\"'&\u0007","alarms":["<b>x</b>",{"name":"\u0000y"}]"##),
                status(
                    String(repeating: "v", count: 50), more: #","version":"\#(String(repeating: "1", count: 9000))""#),
            ], now: 0)
        let page = html(homes(fleet), "https://grafana.example.org/", ["<i>"])
        #expect(page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"))
        #expect(page.contains("&lt;script&gt;&quot;&#39;&amp;?") && page.contains("&lt;b&gt;x&lt;/b&gt;, ?y"))
        for markup in ["<img", "<script", "<b>", "<i>", "\u{7}", "\u{0}"] {
            #expect(!page.contains(markup), "\(markup)")
        }
        #expect(
            page.contains(
                #"href="https://grafana.example.org/d/hearth-home?var-home=%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%22%27%26""#
            ))
        #expect(page.utf8.count < 4000, "and no name is longer than names are")
    }

    @Test(
        "an address that is none, or no page's, is refused",
        arguments: [
            "", "grafana:3000", "javascript:alert(1)", "https://", "http://a b", "https://a/?x=", "https://a/#x",
            "ftp://a",
            "https://a\u{7}", "https://ä",
        ])
    func noAddress(_ text: String) { #expect(GrafanaAddress(text) == nil) }

    @Test("metrics count homes and findings, and no name from outside makes more series than are allowed")
    func metrics() {
        let fleet = Fleet()
        fleet.begin()
        var messages = [
            status("silent", ago: 301, more: #","backlog":7"#), message("gone", #"{"status":"offline"}"#),
            status("home", more: #","alarms":["disk-low","disk-low",{"name":"Not A Name"},"\u00e9"]"#),
        ]
        for home in 0..<200 { messages.append(status("h\(home)", more: #","alarms":["disk-low","made-up-\#(home)"]"#)) }
        fleet.take(messages, now: 0)
        let text = PrometheusText.encode(FleetMetrics.samples(homes(fleet)))
        let lines = text.split(separator: "\n").map(String.init)
        for line in [
            #"hearth_homes{state="online"} 202"#, #"hearth_homes{state="offline"} 1"#, "hearth_homes_silent 1",
            "hearth_homes_with_findings 201", "hearth_homes_backlog_readings 7",
            "hearth_homes_oldest_status_seconds 301",
            #"hearth_homes_finding{finding="disk-low"} 201"#, #"hearth_homes_finding{finding="other"} 103"#,
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(lines.count { $0.hasPrefix("hearth_homes_finding{") } == FleetMetrics.findingLimit + 1)
    }
}
