import Glibc
import Heating
import Journal
import MQTT

extension Configuration {
    /// Reads and checks the whole configuration.
    ///
    /// - Parameters:
    ///   - text: the contents of `hearthd.toml`.
    ///   - file: its name, for messages.
    ///   - environment: variables that override the file.
    ///   - fragments: the files of `devices.d`.
    /// - Throws: ``ConfigurationError`` with every problem found.
    init(
        text: String, file: String, environment: [String: String], fragments: [DeviceFile] = []
    ) throws(ConfigurationError) {
        var reader = ConfigurationReader(text: text, file: file, environment: environment)
        guard reader.problems.isEmpty else { throw ConfigurationError(problems: reader.problems) }

        let homeText = reader.string(["home"])
        let home = homeText.flatMap { HomeID($0) }
        if homeText == nil {
            reader.report(["home"], "is missing; write home = \"a-name-for-this-home\" at the top of the file")
        } else if home == nil {
            reader.report(["home"], "must be a name without /, + and #, and not begin with $: it becomes a topic level")
        } else if let text = homeText, text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            reader.report(
                ["home"], "\"\(text)\" begins or ends with a blank: it becomes a topic level; write it without")
        }
        sensorTimeZone = reader.string(["sensor_time_zone"]) ?? "UTC"
        if SystemZones.rules(of: sensorTimeZone) == nil {
            reader.report(
                ["sensor_time_zone"], "\"\(sensorTimeZone)\" is neither an offset like +01:00 nor a known zone")
        }
        temperatureUnit = reader.oneOf(["temperature_unit"], TemperatureUnit.self) ?? .celsius
        reader.unit = temperatureUnit
        local = reader.broker("local", port: 1883)
        cloud = reader.broker("cloud", port: 1884)
        isCloudEnabled = reader.bool(["cloud", "enabled"]) ?? true
        journal = reader.journal()
        uplink = .init(
            confirm: reader.oneOf(["uplink", "confirm"], UplinkState.Confirmation.self) ?? .ingestor,
            maxRate: reader.integer(["uplink", "max_rate"], in: 0...10_000_000) ?? 0)
        settingsFile = reader.settingsFile(beside: journal.path)
        thermostat = reader.thermostat(["thermostat"], base: Thermostat.Settings())
        written.house = reader.written(["thermostat"])
        rooms = [:]
        for name in reader.tableNames(["rooms"]) {
            guard let room = Room(name) else {
                reader.report(["rooms", name], "is not a room: a room is one topic level, without /, + and #")
                continue
            }
            rooms[room] = reader.thermostat(["rooms", name], base: thermostat)
            written.rooms[room] = reader.written(["rooms", name])
        }
        devices = reader.devices(fragments)
        for room in devices.rooms.keys where rooms[room] == nil { rooms[room] = thermostat }
        let (all, own) = (thermostat, rooms)
        reader.checkTargets(devices) { own[$0] ?? all }
        controlSocket = reader.string(["control", "socket"]) ?? "/run/hearth/hearthd.sock"
        forgetAfter =
            reader.duration(["control", "forget_after"], in: .seconds(1) ... .seconds(366 * 86400))
            ?? .seconds(7 * 86400)
        homeAssistant = .init(
            discovery: reader.bool(["home_assistant", "discovery"]) ?? false,
            prefix: reader.string(["home_assistant", "prefix"]) ?? "homeassistant",
            page: reader.string(["home_assistant", "page"]))
        reader.check(page: homeAssistant.page)
        logLevel = reader.oneOf(["log", "level"], LogLevel.self)?.rawValue ?? "info"
        reader.reportUnknownKeys()
        guard reader.problems.isEmpty, let home else { throw ConfigurationError(problems: reader.problems) }
        self.home = home
        protectCompressors(reader)
    }

    private enum LogLevel: String, CaseIterable { case trace, debug, info, notice, warning, error, critical }
}

extension ConfigurationReader {
    /// Home Assistant takes a device's link only with one of these schemes (its `cv.configuration_url`), and with any other
    /// refuses the whole device.
    fileprivate mutating func check(page: String?) {
        guard let page, !["http://", "https://"].contains(where: { page.hasPrefix($0) && page.count > $0.count }) else {
            return
        }
        report(
            ["home_assistant", "page"], "must be the page's address as a browser takes it, \"http://hearth.local:8088\""
        )
    }

    fileprivate mutating func broker(_ section: String, port: Int) -> Configuration.Broker {
        var broker = Configuration.Broker(
            host: string([section, "host"]) ?? "127.0.0.1",
            port: integer([section, "port"], in: 1...65535) ?? port,
            username: string([section, "username"]),
            passwordFile: string([section, "password_file"]),
            tls: nil, version: oneOf([section, "protocol"], ProtocolPolicy.self) ?? .auto)
        if let problem = BrokerAddress.problem(broker.host, portKey: "port") { report([section, "host"], problem) }
        if broker.passwordFile != nil, broker.username == nil {
            report([section, "password_file"], "needs \(section).username beside it")
        }
        if isPresent([section, "tls"]) {
            let certificate = string([section, "tls", "cert"])
            let key = string([section, "tls", "key"])
            let ca = string([section, "tls", "ca"])
            if ca == nil {
                report([section, "tls", "ca"], "is missing: name the file with the certificate authority to trust")
            }
            if (certificate == nil) != (key == nil) {
                report([section, "tls", certificate == nil ? "cert" : "key"], "is missing: cert and key go together")
            }
            broker.tls = .init(ca: ca ?? "", certificate: certificate, key: key)
        } else {
            // Asked for, so that a stray environment variable or a nearest-key suggestion knows these names.
            for key in ["ca", "cert", "key"] { _ = string([section, "tls", key]) }
        }
        return broker
    }

    /// Elsewhere than beside the journal only where somebody wants it.
    fileprivate mutating func settingsFile(beside journal: String) -> String {
        let directory = journal.lastIndex(of: "/").map { journal[...$0] } ?? "/var/lib/hearth/"
        let path = string(["control", "settings"]) ?? directory + "settings.toml"
        if !path.hasPrefix("/") { report(["control", "settings"], "must be an absolute path, not \"\(path)\"") }
        return path
    }

    /// Which of the settings that people may change are written below `path`.
    fileprivate func written(_ path: [String]) -> Set<SettingKey> {
        let base = path == ["thermostat"] ? [] : path
        return Set(
            SettingKey.allCases.filter { key in
                key.configurationKeys.contains { isPresent(($0.first == "presets" ? base : path) + $0) }
            })
    }

    fileprivate mutating func journal() -> Configuration.JournalFile {
        let path = string(["journal", "path"]) ?? "/var/lib/hearth/journal.sqlite"
        if !path.hasPrefix("/") { report(["journal", "path"], "must be an absolute path, not \"\(path)\"") }
        return .init(
            path: path,
            maxSize: size(["journal", "max_size"], in: (16 << 20)...(1 << 44)) ?? (512 << 20),
            whenFull: oneOf(["journal", "when_full"], WhenFull.self) ?? .dropOldest,
            commitInterval: duration(["journal", "commit_interval"], in: .zero ... .seconds(20)) ?? .milliseconds(250),
            history: duration(["journal", "history"], in: .zero ... .seconds(366 * 86400)) ?? .seconds(86400))
    }
}
