import Glibc

/// A Kafka cluster for tests in a process of its own: librdkafka's mock, driven by lines on standard input.
///
/// `mock-kafka [brokers]` prints `bootstrap <servers>`, then answers each command with `ok` or `error <reason>`; it
/// ends with its input, or with its parent. `mock-kafka read <servers> <group> <topic> [batch]` is a reader that can be
/// killed.
@main
struct MockKafka {
    static func main() {
        endWithParent()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "read" {
            ReaderProcess.run(Array(arguments.dropFirst()))
        } else {
            serve(brokers: arguments.first.flatMap { Int32($0) } ?? 3)
        }
    }

    /// A test that was killed leaves no cluster behind; its input may still be open in another child of the test.
    private static func endWithParent() {
        var thread = pthread_t()
        pthread_create(&thread, nil, watchParent, nil)
    }

    private static func serve(brokers: Int32) {
        guard let cluster = MockCluster(brokers: brokers) else {
            say("error no cluster")
            exit(1)
        }
        say("bootstrap \(cluster.bootstrap)")
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard let command = words.first else { continue }
            if command == "quit" { return }
            say(cluster.perform(command, Array(words.dropFirst())) ?? "ok")
        }
    }
}

/// One line, in one write, so that lines of several threads do not mix.
func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(1, bytes, bytes.count)
}

private func watchParent(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let parent = getppid()
    while getppid() == parent { sleep(1) }
    _exit(0)
}
