import Heating
import Journal
import MQTT

/// The three connections' settings, side by side so that their differences can be read.
extension ConnectionSettings {
    /// Live readings only: a clean session, nothing queued, nothing replayed.
    static func control(_ configuration: Configuration) -> ConnectionSettings {
        var settings = base(configuration.local, clientID: "hearthd-\(configuration.home.name)-control")
        settings.cleanStart = true
        settings.sessionExpiry = 0
        settings.will = StateTopic.online(false)
        return settings
    }

    /// The session outlives us, so that the broker keeps what arrives while we are away.
    static func record(_ configuration: Configuration) -> ConnectionSettings {
        var settings = base(configuration.local, clientID: "hearthd-\(configuration.home.name)-record")
        settings.cleanStart = false
        settings.sessionExpiry = 30 * 86400
        // While a batch is being flushed the broker fills the other half of the window: at full speed a disk of 10 ms per
        // flush then costs 2 % of the rate (scripts/bench --ratios, R2).
        settings.receiveMaximum = 5000
        settings.batch.messages = 2500
        settings.batch.age = configuration.journal.commitInterval.wholeNanoseconds
        // Ten commits a second for a stream: 0.01 per reading at 1000/s, measured by scripts/bench --ratios.
        settings.batch.pace = 100_000_000
        return settings
    }

    /// For a while, when somebody looks for devices: nothing is kept, and nothing longer than the longest list comes.
    static func search(_ configuration: Configuration) -> ConnectionSettings {
        var settings = base(configuration.local, clientID: "hearthd-\(configuration.home.name)-search")
        settings.cleanStart = true
        settings.sessionExpiry = 0
        settings.maximumPacketSize = UInt32(HeardTopics.listLimit) + 65_536
        return settings
    }

    /// A clean session: a command that the cloud queued while we were away must never be obeyed as new, and an
    /// acknowledgement that was lost is given again when the record is sent again.
    static func uplink(_ configuration: Configuration) -> ConnectionSettings {
        let name = "hearthd-\(configuration.home.name)-uplink"
        var settings = base(configuration.cloud, clientID: name + cloudSecret(configuration.cloud, name))
        settings.cleanStart = true
        settings.sessionExpiry = 0
        settings.will = GatewayStatus.offline(configuration.home)
        return settings
    }

    /// What another home of the broker cannot know, made from the password or the key: who connects with a client id takes
    /// its connection over, whoever he is (MQTT 5 section 3.1.4). Two gateways of one home have the same, so that they notice.
    private static func cloudSecret(_ broker: Configuration.Broker, _ name: String) -> String {
        guard let path = broker.passwordFile ?? broker.tls?.key,
            let secret = try? readFile(path, purpose: "secret", limit: 65_536)
        else { return "" }
        return "-" + SHA256.hexadecimal(Array("hearth client id \(name)\n".utf8) + secret).prefix(12)
    }

    private static func base(_ broker: Configuration.Broker, clientID: String) -> ConnectionSettings {
        var settings = ConnectionSettings(host: broker.host, port: broker.port, clientID: clientID)
        settings.protocolPolicy = broker.version
        settings.username = broker.username
        settings.passwordFile = broker.passwordFile
        settings.tls = broker.tls.map {
            TLS(caFile: $0.ca, certificateFile: $0.certificate, keyFile: $0.key)
        }
        return settings
    }
}

extension Journal.Settings {
    init(_ file: Configuration.JournalFile) {
        self.init(path: file.path)
        maxBytes = file.maxSize
        whenFull = file.whenFull
        history = file.history
    }
}
