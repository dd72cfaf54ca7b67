import ArgumentParser
import EventLog
import Foundation
import Glibc
import Heating
import Machine

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "What could not be used: look at it, and send it on its way again.",
        discussion: """
            With EVENT_LOG=kafka it reads the cluster. With EVENT_LOG=journal it asks the running hearth-cloud serve at \
            HTTP_PORT on this machine, or opens JOURNAL_PATH itself while none runs.
            """,
        subcommands: [ListCommand.self, ShowCommand.self, ReplayCommand.self, DropCommand.self],
        defaultSubcommand: ListCommand.self)

    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "One line each, oldest first.")
        @OptionGroup var options: DeadLetterOptions
        @Option(help: "Show so many of the newest.") var limit = 1000
        func run() async throws { try await options.run(.list, limit: limit) }
    }

    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "All there is of them.")
        @OptionGroup var options: DeadLetterOptions
        func run() async throws { try await options.run(.show) }
    }

    struct ReplayCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Sends them on their way again, after what was wrong has been mended.")
        @OptionGroup var options: DeadLetterOptions
        func run() async throws { try await options.run(.replay) }
    }

    struct DropCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop", abstract: "Forgets them: nothing can bring them back.")
        @OptionGroup var options: DeadLetterOptions
        @Flag(help: "Without --reason, --since, --until or a place: all of them.") var all = false
        func run() async throws {
            guard all || options.isNarrowed else {
                throw SettingError("drop needs a place, --reason, --since or --until; or --all")
            }
            try await options.run(.drop)
        }
    }
}

struct DeadLetterOptions: ParsableArguments {
    @Argument(help: "The place that list shows first, such as 0@42; all without it.") var place: String?
    @Option(help: "Only those whose reason has this text.") var reason: String?
    @Option(help: "Only those since: 2026-11-29T10:00:00, or 2h for two hours ago (s, m, h, d).") var since: String?
    @Option(help: "Only those until.") var until: String?
    @Flag(help: "One JSON object per line.") var json = false
    @OptionGroup var eventLog: EventLogOptions
    @OptionGroup var http: HTTPOptions
    @OptionGroup var log: LogOptions

    var isNarrowed: Bool { place != nil || reason != nil || since != nil || until != nil }

    func run(_ action: DeadLetterDesk.Action, limit: Int = 1000) async throws {
        var request = DeadLetterDesk.Request()
        request.action = action
        request.limit = limit
        request.isJSON = json
        request.filter = DeadLetterBox.Filter(
            reason: reason, since: try Self.time(since, "--since"), until: try Self.time(until, "--until"), place: place
        )
        let (asked, options) = (request, self)
        let text = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<String, any Error>) in
            startThread("dead-letters") { continuation.resume(with: Result { try options.ask(asked) }) }
        }
        print(text, terminator: "")
    }

    private func ask(_ request: DeadLetterDesk.Request) throws -> String {
        let builder = CloudBuilder(logger: try CloudBuilder.logger(log), logOptions: eventLog)
        let isJournal = eventLog.isEngine(.journal)
        if isJournal, !FileManager.default.fileExists(atPath: eventLog.journalPath.text) {
            throw SettingError("there is no event log at \(eventLog.journalPath.text); set JOURNAL_PATH")
        }
        let opened: any EventLog
        do {
            opened = try builder.eventLog(role: "dead-letters")
        } catch let error as EventLogError where isJournal && error.code == .storage {
            // A running serve has the file.
            let port = try http.port.value
            guard port != 0 else {
                throw SettingError("\(error). hearth-cloud serve runs without HTTP_PORT: give it one, or stop it first")
            }
            return try LocalQuestion.post(
                path: DeadLetterDesk.path, header: DeadLetterDesk.header, body: request.json.serialized(), port: port)
        }
        defer { opened.close() }
        return try DeadLetterDesk(log: opened, topics: eventLog.topics).answer(request)
    }

    private static func time(_ text: String?, _ name: String) throws -> Int64? {
        guard let text else { return nil }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let unit = text.last.flatMap({ units[$0] }), let amount = Int64(text.dropLast()),
            (0...1_000_000).contains(amount)
        {
            return Clock.wall.nanoseconds - amount * unit * 1_000_000_000
        }
        guard let time = Timestamp(iso8601: text.utf8) else {
            throw SettingError("\(name) must be like 2026-11-29T10:00:00 (UTC) or 2h, not \"\(text)\"")
        }
        return time.nanoseconds
    }
}

/// One HTTP request to a process on this machine.
enum LocalQuestion {
    static func post(path: String, header: String, body: String, port: UInt16) throws -> String {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw SettingError("no socket: \(systemErrorText(errno))") }
        defer { close(socket) }
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            throw SettingError(
                "the event log is in use, but nothing answers at 127.0.0.1:\(port): set HTTP_PORT as hearth-cloud serve has it"
            )
        }
        let request =
            "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(header): 1\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let bytes = Array(request.utf8)
        guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw SettingError("hearth-cloud serve does not take the question")
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = recv(socket, &buffer, buffer.count, 0), count > 0 { answer += buffer[..<count] }
        guard let split = answer.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw SettingError("hearth-cloud serve did not answer")
        }
        let text = String(decoding: answer[split.upperBound...], as: UTF8.self)
        guard answer.starts(with: Array("HTTP/1.1 200".utf8)) else { throw SettingError("hearth-cloud serve: \(text)") }
        return text
    }
}
