import Heating
import Testing

@testable import hearthd

@Suite("A reload takes every key of the file, or says that it needs a restart")
struct ReloadTests {
    private typealias File = [String: [String: String]]  // Own names: sections and keys.

    private static let broker = [
        "host": #""127.0.0.1""#, "port": "1883", "protocol": #""auto""#, "username": #""a""#,
        "password_file": #""/a""#,
    ]
    private static let certificates = ["ca": #""/ca""#, "cert": #""/cert""#, "key": #""/key""#]
    private static let limits = [
        "enabled": "true", "authority": #""local""#, "mode": #""auto""#, "on_below": "20.0",
        "off_above": "25.0",
        "discard": "[100.0]", "min_on": #""60s""#, "min_off": #""60s""#, "refresh": #""60s""#,
        "stale_after": #""900s""#, "on_stale": #""off""#, "frost_below": "5.0",
        "overheat_above": "40.0",
        "override_ttl": #""3600s""#, "min_plausible": "-40.0", "max_plausible": "80.0",
        "max_change_per_minute": "10.0", "response_time": #""60s""#,
        "schedule": #"["mon-fri 06:30 comfort"]"#,
    ]
    private static let base: File = [
        "": ["home": #""home1""#, "sensor_time_zone": #""UTC""#, "temperature_unit": #""C""#],
        "local": broker, "local.tls": certificates, "cloud": broker.merging(["enabled": "true"]) { $1 },
        "cloud.tls": certificates,
        "journal": [
            "path": #""/j/j.sqlite""#, "max_size": #""512MiB""#, "when_full": #""drop-oldest""#,
            "commit_interval": #""250ms""#, "history": #""24h""#,
        ],
        "uplink": ["confirm": #""ingestor""#, "max_rate": "0"],
        "thermostat": limits, "rooms.office": limits,
        "control": [
            "socket": #""/s""#, "settings": #""/j/settings.toml""#, "forget_after": #""168h""#,
        ],
        "home_assistant": [
            "discovery": "false", "prefix": #""homeassistant""#, "page": #""http://a""#,
        ],
        "log": ["level": #""info""#],
    ]

    private static let links: Set<Reload.Effect> = [.controlLink, .recordLink]
    private static let limitChanges = [
        "enabled": "false", "authority": #""cloud""#, "mode": #""off""#, "on_below": "19.0",
        "off_above": "24.0",
        "discard": "[101.0]", "min_on": #""61s""#, "min_off": #""61s""#, "refresh": #""61s""#,
        "stale_after": #""901s""#, "on_stale": #""on""#, "frost_below": "6.0", "overheat_above": "41.0",
        "override_ttl": #""3601s""#, "min_plausible": "-39.0", "max_plausible": "81.0",
        "max_change_per_minute": "11.0", "response_time": #""61s""#,
        "schedule": #"["mon-fri 06:31 comfort"]"#,
    ]
    private static let brokerChanges = [
        "host": #""127.0.0.2""#, "port": "1885", "protocol": #""5""#, "username": #""b""#,
        "password_file": #""/b""#,
    ]
    private static let certificateChanges = [
        "ca": #""/ca2""#, "cert": #""/cert2""#, "key": #""/key2""#,
    ]
    /// Of each section another value of each key, and who takes it; nobody: it needs a restart.
    private static let changes: [(section: String, values: [String: String], effects: Set<Reload.Effect>)] = [
        ("", ["home": #""home2""#], []),
        ("", ["sensor_time_zone": #""+01:00""#], [.recordingSide]),
        ("local", brokerChanges, links), ("local.tls", certificateChanges, links),
        ("cloud", brokerChanges, [.uplinkLink]), ("cloud.tls", certificateChanges, [.uplinkLink]),
        ("cloud", ["enabled": "false"], [.homeAssistant, .recordingSide]),
        (
            "journal",
            [
                "path": #""/k/j.sqlite""#, "max_size": #""513MiB""#, "when_full": #""stop-accepting""#,
                "commit_interval": #""251ms""#, "history": #""25h""#,
            ], [.recordingSide]
        ),
        ("uplink", ["confirm": #""broker""#, "max_rate": "1"], [.recordingSide]),
        ("thermostat", limitChanges, [.heating]), ("rooms.office", limitChanges, [.heating]),
        ("control", ["socket": #""/t""#, "settings": #""/t/settings.toml""#], []),
        ("control", ["forget_after": #""169h""#], [.heating]),
        (
            "home_assistant", ["discovery": "true", "prefix": #""ha""#, "page": #""http://b""#],
            [.homeAssistant]
        ),
        ("log", ["level": #""debug""#], [.log, .recordingSide]),
    ]

    private func read(_ file: File, _ more: String = "") throws -> Configuration {
        var text = ""
        for (section, keys) in file.sorted(by: { $0.key < $1.key }) {
            text += section.isEmpty ? "" : "[\(section)]\n"
            for (key, value) in keys { text += "\(key) = \(value)\n" }
        }
        return try Configuration(text: text + more, file: "hearthd.toml", environment: [:])
    }

    @Test("each key, one at a time")
    func keys() throws {
        let old = try read(Self.base)
        for (section, values, effects) in Self.changes {
            for (key, value) in values {
                let name = section.isEmpty ? key : "\(section).\(key)"
                var file = Self.base
                file[section]?[key] = value
                let new = try read(file)
                #expect(new != old, "\(name): not another value")
                let reload = Reload(new, over: old)
                #expect(Reload.effects(from: old, to: reload.configuration) == effects, "\(name)")
                #expect(reload.waiting.map(\.key) == (effects.isEmpty ? [name] : []), "\(name)")
                #expect((reload.configuration == old) == effects.isEmpty, "\(name)")
            }
        }
    }

    @Test("the unit, and devices")
    func others() throws {
        let old = try read(Self.base)
        var file = Self.base
        file[""]?["temperature_unit"] = #""F""#
        file["thermostat"] = nil
        file["rooms.office"] = nil
        #expect(Reload.effects(from: old, to: try read(file)) == [.heating])
        let devices = """
            [kinds.station]
            topic = "st/{room}/all"
            value = "t"
            command = "unused"
            [[sensors]]
            kind = "station"
            """
        let new = try read(Self.base, devices)
        #expect(Reload.effects(from: old, to: new) == [.heating, .recordingSide])
        #expect(Reload(new, over: old).waiting.isEmpty)
    }

    @Test("no key of the file is missing here")
    func complete() throws {
        let tested = Set(
            Self.changes.flatMap { change in change.values.keys.map { "\(change.section).\($0)" } }
        )
        .union([".temperature_unit"])
        var section = ""
        for line in try read(Self.base).text.split(separator: "\n") {
            if line.hasPrefix("[") {
                section = line.filter { !"[]\"".contains($0) }
            } else if let end = line.firstRange(of: " = "),
                !["target", "band"].contains(line[..<end.lowerBound])
            {
                let key = line[..<end.lowerBound].drop { "# ".contains($0) }
                #expect(tested.contains("\(section).\(key)"), "\(line) in [\(section)]")
            }
        }
    }

    @Test("what needs a restart is said in plain words with both values, until the file agrees")
    func words() throws {
        var file = Self.base
        file[""]?["home"] = #""home2""#
        let (old, new) = (try read(Self.base), try read(file))
        let finding = try #require(Reload(new, over: old).waiting.first.map(Finding.restartNeeded))
        #expect(
            finding.text == #"home needs a restart: the file says "home2", and hearthd runs with "home1""#
        )
        #expect(finding.advice == "Restart it: sudo systemctl restart hearthd")
        #expect(Reload(old, over: Reload(new, over: old).configuration).waiting.isEmpty)
    }
}
