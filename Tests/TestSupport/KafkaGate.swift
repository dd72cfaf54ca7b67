import Foundation

/// TLS and SASL before a Kafka that has neither: `Tests/House/kafka_gate.py` in a process of its own, with certificates of
/// its own. TLS is OpenSSL's by way of Python; the SASL exchanges are the gate's.
public final class KafkaGate: @unchecked Sendable {
    public let bootstrap: String
    private let process = Process()
    private let input = Pipe()
    private let output: LineReader

    /// Authority, server's and client's certificate, and one of another authority, for as many gates as a suite likes.
    public struct Certificates: Sendable {
        public let directory: String

        public init(in directory: String) throws {
            self.directory = directory
            let script = """
                set -e; cd "$0"
                authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.crt -days 2 -subj /CN=$1; }
                authority ca; authority other
                echo subjectAltName=IP:127.0.0.2 >names
                for name in server client; do
                    openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
                    openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out $name.crt
                done
                """
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            shell.arguments = ["-c", script, directory]
            shell.standardError = FileHandle.nullDevice
            try shell.run()
            shell.waitUntilExit()
        }

        public func path(_ name: String) -> String { "\(directory)/\(name)" }
    }

    /// - Parameter arguments: of the gate, after `--upstream`.
    public init(_ upstream: String, _ arguments: [String]) throws {
        let pipe = Pipe()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../House/kafka_gate.py")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [script.path, "--upstream", upstream] + arguments
        process.standardInput = input
        process.standardOutput = pipe
        try process.run()
        output = LineReader(pipe.fileHandleForReading)
        guard let line = output.next(within: 10), line.hasPrefix("ready ") else {
            throw MockCluster.Failure(description: "kafka_gate.py did not start")
        }
        bootstrap = String(line.dropFirst("ready ".count))
    }

    deinit { process.killAndWait() }
}
