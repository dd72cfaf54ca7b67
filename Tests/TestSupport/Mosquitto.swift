import Foundation
import Synchronization

/// A real Mosquitto on a free port of 127.0.0.1, with its own directory for persistence.
public final class Mosquitto: Sendable {
    public let port: Int
    public let directory: TemporaryDirectory
    private let process = Mutex<ChildProcess?>(nil)
    private let configuration: String

    /// - Parameters:
    ///   - configuration: the whole configuration but the listener, which comes before it; lines that belong to
    ///     the listener (certificates) may therefore follow directly.
    ///   - port: a fixed port, to stand in for an earlier broker.
    public init(_ configuration: String = Mosquitto.packaged, port: Int? = nil) throws {
        self.port = try port ?? freePort()
        directory = try TemporaryDirectory("mosquitto")
        self.configuration = """
            user \(NSUserName())
            listener \(self.port) 127.0.0.1
            \(configuration.replacingOccurrences(of: "DIRECTORY", with: directory.path))

            """
    }

    deinit {
        // Before the directory goes: a running broker would write its database into it again.
        kill()
    }

    /// Like the packaged configuration of the home broker. `DIRECTORY` becomes the broker's directory.
    public static let packaged = """
        allow_anonymous true
        persistence true
        persistence_location DIRECTORY/
        autosave_interval 1
        autosave_on_changes true
        upgrade_outgoing_qos true
        max_queued_messages 0
        max_inflight_messages 1000
        set_tcp_nodelay true
        """

    /// The same without a snapshot per change, which rewrites the whole database each time (measured: 400 messages a
    /// second): for tests that need a broker's speed and never kill it.
    public static let fast = packaged.replacingOccurrences(of: "autosave_on_changes true", with: "")
        .replacingOccurrences(of: "autosave_interval 1\n", with: "")

    /// Whether the program is installed.
    public static var isInstalled: Bool { executable != nil }

    private static let executable = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Starts it and waits until it accepts connections.
    public func start(within limit: Duration = .seconds(10)) async throws {
        guard let executable = Self.executable else {
            throw ChildProcess.CannotStart(description: "mosquitto is not installed: apt install mosquitto")
        }
        let file = try directory.write(configuration, to: "mosquitto.conf")
        let child = try ChildProcess(executable, ["-v", "-c", file])
        process.withLock { $0 = child }
        try await eventually(within: limit, "mosquitto on port \(port)") {
            guard child.isRunning else {
                throw ChildProcess.CannotStart(description: "mosquitto ended at once: \(child.output)")
            }
            return isListening(port)
        }
    }

    /// A broker that is running already.
    public static func started(_ configuration: String = Mosquitto.packaged, port: Int? = nil) async throws -> Mosquitto
    {
        let broker = try Mosquitto(configuration, port: port)
        try await broker.start()
        return broker
    }

    /// kill -9.
    public func kill() { current?.kill() }

    /// Orderly end: persistence is written.
    public func terminate() async throws { try await current?.terminate() }

    public func send(_ signal: Int32) { current?.send(signal) }

    /// kill -9 and start again with the same port and directory.
    public func restart() async throws {
        kill()
        try await start()
    }

    public var log: String { current?.output ?? "" }

    private var current: ChildProcess? { process.withLock { $0 } }
}
