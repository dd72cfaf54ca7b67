import Foundation

/// A broker of another make than Mosquitto on a free port of 127.0.0.1. Both speak MQTT 3.1.1 only.
public final class ForeignBroker: Sendable {
    public enum Make: String, CaseIterable, Sendable {
        /// Debian's `rabbitmq-server` with its MQTT plugin: closes the connection at a CONNECT of v5.
        case rabbitMQ = "RabbitMQ"
        /// amqtt of PyPI, in the virtual environment that `scripts/test` makes: leaves a CONNECT of v5 unanswered.
        case amqtt
    }

    public let port: Int
    private let directory: TemporaryDirectory
    private let process: ChildProcess
    /// Erlang's port mapper, which RabbitMQ would start for the whole machine otherwise.
    private let mapper: ChildProcess?

    private init(port: Int, _ directory: TemporaryDirectory, _ process: ChildProcess, mapper: ChildProcess? = nil) {
        (self.port, self.directory, self.process, self.mapper) = (port, directory, process, mapper)
    }

    deinit {
        // Before the directory goes: they would write into it again.
        process.kill()
        mapper?.kill()
    }

    public static func isInstalled(_ make: Make) -> Bool {
        FileManager.default.isExecutableFile(atPath: make == .rabbitMQ ? rabbitMQ : amqtt)
    }

    /// Starts one with nothing in it, and waits until it accepts connections.
    public static func started(_ make: Make) async throws -> ForeignBroker {
        let broker =
            switch make {
            case .rabbitMQ: try startRabbitMQ()
            case .amqtt: try startAmqtt()
            }
        try await eventually(within: .seconds(240), "\(make.rawValue) on port \(broker.port)") {
            guard broker.process.isRunning else {
                throw ChildProcess.CannotStart(description: "\(make.rawValue) ended at once: \(broker.process.output)")
            }
            return isListening(broker.port)
        }
        return broker
    }

    public var log: String { process.output }

    // MARK: RabbitMQ

    /// Not the wrapper in /usr/sbin, which changes the user and uses the machine's directories.
    private static let rabbitMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"

    private static func startRabbitMQ() throws -> ForeignBroker {
        let directory = try TemporaryDirectory("rabbitmq")
        let (port, mapperPort) = (try freePort(), try freePort())
        let configuration = try directory.write(
            """
            listeners.tcp = none
            mqtt.listeners.tcp.1 = 127.0.0.1:\(port)
            mqtt.allow_anonymous = true
            log.console = true
            log.file = false

            """, to: "rabbitmq.conf")
        let mapper = try ChildProcess("/usr/bin/epmd", ["-port", "\(mapperPort)"])
        // rabbitmq-env(8): everything that is the machine's otherwise. As under systemd, the script becomes the server.
        let environment = [
            "HOME": directory.path, "ERL_EPMD_PORT": "\(mapperPort)", "RUNNING_UNDER_SYSTEMD": "1",
            "RABBITMQ_NODENAME": "hearth\(port)@localhost", "RABBITMQ_DIST_PORT": "\(try freePort())",
            "RABBITMQ_MNESIA_BASE": directory.file("mnesia"), "RABBITMQ_LOG_BASE": directory.file("log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": try directory.write("[rabbitmq_mqtt].\n", to: "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": configuration, "RABBITMQ_CONF_ENV_FILE": directory.file("none"),
            "RABBITMQ_PID_FILE": directory.file("pid"),
        ]
        let process = try ChildProcess(rabbitMQ, environment: environment)
        return ForeignBroker(port: port, directory, process, mapper: mapper)
    }

    // MARK: amqtt

    private static let amqtt: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        return root + "/.build/peers/amqtt/bin/amqtt"
    }()

    private static func startAmqtt() throws -> ForeignBroker {
        let directory = try TemporaryDirectory("amqtt")
        let port = try freePort()
        let configuration = try directory.write(
            """
            listeners:
              default:
                type: tcp
                bind: 127.0.0.1:\(port)
            plugins:
              amqtt.plugins.authentication.AnonymousAuthPlugin:
                allow_anonymous: true

            """, to: "amqtt.yaml")
        return ForeignBroker(port: port, directory, try ChildProcess(amqtt, ["-c", configuration]))
    }
}
