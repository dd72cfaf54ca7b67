import Heating
import Journal
import Testing

@testable import hearthd

@Suite("Configuration: what hearthd.toml means")
struct ConfigurationTests {
    private func read(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try Configuration(text: text, file: "hearthd.toml", environment: environment)
    }

    /// The text's configuration; which keys are written is another matter, since the text writes all of them.
    private func meaning(_ text: String, as original: Configuration) throws -> Configuration {
        var configuration = try read(text)
        configuration.written = original.written
        return configuration
    }

    private func problems(_ text: String, _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try read(text, environment)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["unexpected error type: \(error)"]
        }
    }

    @Test("a home is the only thing one must write; everything else has the documented default")
    func defaults() throws {
        let configuration = try read("home = \"home1\"")
        #expect(configuration.home.name == "home1")
        #expect(configuration.local.address == "127.0.0.1:1883")
        #expect(configuration.cloud.address == "127.0.0.1:1884")
        #expect(configuration.journal.path == "/var/lib/hearth/journal.sqlite")
        #expect(configuration.journal.maxSize == 512 << 20)
        #expect(configuration.journal.whenFull == .dropOldest)
        #expect(configuration.journal.history == .seconds(86400))
        #expect(configuration.uplink.confirm == .ingestor)
        #expect(configuration.thermostat.onBelow == 20)
        #expect(configuration.thermostat.offAbove == 25)
        #expect(configuration.thermostat.discard == [100, 85, -127])
        #expect(configuration.thermostat.staleAfter == .seconds(900))
        #expect(configuration.thermostat.frostBelow == 5)
        #expect(configuration.controlSocket == "/run/hearth/hearthd.sock")
    }

    @Test("a missing home is an error that says what to write")
    func missingHome() {
        #expect(problems("").contains { $0.contains("home: is missing") })
    }

    @Test("a home that is no topic level is refused", arguments: ["a/b", "+", "#", "", "$SYS"])
    func badHome(name: String) {
        #expect(problems("home = \"\(name)\"").contains { $0.contains("home: must be a name") })
    }

    @Test("every problem is reported at once, with file, line and key")
    func allProblems() {
        let found = problems(
            """
            home = "h"
            [local]
            port = 99999
            [thermostat]
            on_below = "warm"
            min_off = "5 minutes"
            """)
        #expect(found.contains("hearthd.toml:3: local.port: 99999 is outside 1 to 65535"))
        #expect(found.contains { $0.hasPrefix("hearthd.toml:5: thermostat.on_below: must be a number") })
        #expect(found.contains { $0.hasPrefix("hearthd.toml:6: thermostat.min_off: must be a duration") })
        #expect(found.count == 3)
    }

    @Test("an unknown key stops the start and names its neighbour")
    func unknownKey() {
        let found = problems("home = \"h\"\n[thermostat]\nmin_of = \"5m\"\n")
        #expect(found == ["hearthd.toml:3: thermostat.min_of: is not a known key; did you mean thermostat.min_off?"])
    }

    @Test(
        "each mistake is told once, with its line and what to write",
        arguments: [
            (
                "[rooms.\"x/y\"]\ntarget = 20",
                #"2: rooms."x/y": is not a room: a room is one topic level, without /, + and #"#
            ),
            (
                "[rooms]\noffice = 21",
                "3: rooms.office: must be a table: write [rooms.office], and below it its settings"
            ),
            ("[sensors]\nkind = \"tasmota\"", "2: sensors: must be a list of tables: write [[sensors]]"),
            ("[[sensor]]\nkind = \"tasmota\"", "2: sensor.0: is not a known key; did you mean [[sensors]]?"),
            ("[room.office]\ntarget = 20", "2: room: is not a known key; did you mean rooms?"),
            ("[termostat]\nband = 1", "2: termostat: is not a known key; did you mean thermostat?"),
            (
                "[rooms.\"a ] \\\" b\"]\ntargt = 20",
                #"3: rooms."a ] " b".targt: is not a known key; did you mean rooms."a ] " b".target?"#
            ),
            (
                "[rooms.office]\nstale_after = \"0s\"",
                "3: rooms.office.stale_after: must be from 1 s to 7 d, not 0 ms"
            ),
        ])
    func toldOnce(text: String, expected: String) {
        #expect(problems("home = \"h\"\n\(text)\n") == ["hearthd.toml:\(expected)"])
    }

    @Test("a room is taken out of every place that names it")
    func places() throws {
        let text = """
            home = "h"
            [rooms.bath]
            [[pumps]]
            kind = "tasmota"
            name = "plug"
            rooms = ["bath", "hall"]
            """
        let configuration = try Configuration(text: text, file: "hearthd.toml", environment: [:])
        #expect(configuration.places(of: Room("hall")!) == [#"rooms of [[pumps]] "plug""#])
        #expect(configuration.places(of: Room("bath")!) == [#"[rooms."bath"]"#, #"rooms of [[pumps]] "plug""#])
    }

    @Test("an unknown section stops the start")
    func unknownSection() {
        #expect(problems("home = \"h\"\n[termostat]\non_below = 3\n").contains { $0.contains("termostat") })
    }

    @Test("a syntax error names the line")
    func syntax() {
        #expect(problems("home = \"h\"\n[local\n").contains { $0.hasPrefix("hearthd.toml:2") })
    }

    @Test("the environment beats the file, and its mistakes are errors too")
    func environment() throws {
        let configuration = try read(
            "home = \"h\"\n[local]\nport = 1", ["HEARTH_LOCAL_PORT": "77", "HEARTH_THERMOSTAT_ON_BELOW": "18.5"])
        #expect(configuration.local.port == 77)
        #expect(configuration.thermostat.onBelow == 18.5)
        #expect(try read("", ["HEARTH_HOME": "env"]).home.name == "env")
        #expect(
            problems("home = \"h\"", ["HEARTH_LOCAL_PORT": "x"]).contains {
                $0.hasPrefix("environment: HEARTH_LOCAL_PORT")
            })
        #expect(problems("home = \"h\"", ["HEARTH_LOCAL_PROT": "1"]).contains { $0.contains("HEARTH_LOCAL_PORT?") })
        // Not ours to judge: other programs' variables share the prefix.
        #expect(problems("home = \"h\"", ["HEARTH_SOCKET": "/x"]).isEmpty)
    }

    @Test("a room inherits the house's settings and changes its own")
    func rooms() throws {
        let configuration = try read(
            """
            home = "h"
            [thermostat]
            off_above = 24
            [rooms.office]
            on_below = 19.0
            [rooms."living room"]
            min_on = "10m"
            """)
        let office = try #require(Room("office"))
        let living = try #require(Room("living room"))
        let other = try #require(Room("cellar"))
        #expect(configuration.settings(for: office).onBelow == 19)
        #expect(configuration.settings(for: office).offAbove == 24)
        #expect(configuration.settings(for: living).minOn == .seconds(600))
        #expect(configuration.settings(for: other).onBelow == 20)
    }

    @Test("limits that would make the pump flap are refused")
    func flapping() {
        #expect(
            problems("home = \"h\"\n[thermostat]\non_below = 26\n").contains {
                $0.contains("must not be above off_above")
            })
    }

    @Test("TLS needs its certificate authority, and a certificate its key: nothing fails open")
    func tls() throws {
        #expect(
            problems("home = \"h\"\n[cloud.tls]\ncert = \"c\"\nkey = \"k\"\n").contains {
                $0.contains("cloud.tls.ca: is missing")
            })
        #expect(
            problems("home = \"h\"\n[cloud.tls]\nca = \"c\"\ncert = \"x\"\n").contains {
                $0.contains("cloud.tls.key: is missing")
            })
        let configuration = try read("home = \"h\"\n[cloud.tls]\nca = \"/ca.pem\"\n")
        #expect(configuration.cloud.tls?.ca == "/ca.pem")
        #expect(configuration.local.tls == nil)
    }

    @Test("a password belongs to a file, never to the configuration")
    func password() {
        #expect(problems("home = \"h\"\n[cloud]\npassword = \"x\"\n").contains { $0.contains("cloud.password") })
        #expect(problems("home = \"h\"\n[cloud]\npassword_file = \"x\"\n").contains { $0.contains("cloud.username") })
    }

    @Test("what --check-config prints is a configuration that means the same")
    func roundTrip() throws {
        let text = """
            home = "höme \\"quoted\\""
            [cloud]
            host = "cloud.example"
            username = "u"
            password_file = "/p"
            [cloud.tls]
            ca = "/ca"
            cert = "/c"
            key = "/k"
            [journal]
            commit_interval = "1500ms"
            [rooms."living room"]
            on_below = 18
            discard = [100, -127.5]
            """
        let configuration = try read(text)
        #expect(try meaning(configuration.text, as: configuration) == configuration)
    }

    @Test("the recording side is told the same settings, however odd the names, numbers and durations in them are")
    func oddRoundTrip() throws {
        let odd = "\\u0001\\t\\n\\\"\\\\ e\\u0301 \\u00e9 \\u007f \\u0085 \\u2028 \\U0001F321 '=[]{}"
        let text = """
            home = "a\(odd)"
            sensor_time_zone = "-03:30"
            [local]
            host = "::1"
            username = "\(odd)"
            password_file = "/\(odd)"
            [cloud.tls]
            ca = "/\(odd)"
            [journal]
            path = "/\(odd)/j"
            max_size = "17592186044416"
            when_full = "stop-accepting"
            commit_interval = "19s999ms"
            history = "366d"
            [uplink]
            confirm = "broker"
            max_rate = 10000000
            [thermostat]
            on_below = 1e-7
            off_above = 20.000000000000004
            discard = [1e300, -0.0, 85]
            min_on = "6d1ms"
            min_off = "1ms"
            refresh = "1001ms"
            schedule = ["mon-fri 06:30 comfort"]
            frost_below = -39.999999999999996
            [rooms."\(odd)"]
            enabled = false
            [rooms."e\\u0301"]
            on_below = 3
            [rooms."\\u00e9"]
            on_below = 4
            [control]
            socket = ""
            [home_assistant]
            discovery = true
            prefix = "\(odd)"
            [log]
            level = "trace"
            """
        let environment = ["HEARTH_CLOUD_TLS_CA": "/from \"here\"\u{7f}", "HEARTH_LOCAL_PORT": "1"]
        let configuration = try read(text, environment)
        #expect(configuration.rooms.count == 3)
        #expect(configuration.cloud.tls?.ca == "/from \"here\"\u{7f}")
        #expect(try meaning(configuration.text, as: configuration) == configuration)
    }

    @Test(
        "durations", arguments: [("90s", 90), ("15m", 900), ("1h30m", 5400), ("7d", 604800), ("0s", 0)])
    func durations(text: String, seconds: Int) {
        #expect(parseDuration(text) == .seconds(seconds))
    }

    @Test("what is no duration", arguments: ["", "5", "m", "5 m", "-5s", "1.5h", "99999999999s", "5x"])
    func notDurations(text: String) {
        #expect(parseDuration(text) == nil)
    }

    @Test("sizes")
    func sizes() {
        #expect(parseSize("512MiB") == 512 << 20)
        #expect(parseSize("2GB") == 2_000_000_000)
        #expect(parseSize("65536") == 65536)
        #expect(parseSize("99999999999GiB") == nil)
        #expect(parseSize("MiB") == nil)
    }
}
