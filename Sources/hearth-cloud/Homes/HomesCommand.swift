import ArgumentParser
import Foundation
import Heating
import MQTT
import Machine
import Prometheus
import Synchronization

/// `hearth-cloud homes`: who there is, and who may come in, while the broker runs.
struct HomesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "homes", abstract: "Lists the homes of a cloud broker; adds and revokes their credentials.",
        subcommands: [ListHomes.self, ServeHomes.self, AddHome.self, RevokeHome.self])
}

struct ListHomes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Every home whose gateway was ever connected: state, when heard, backlog, version, findings.",
        discussion: "Reads what the broker keeps on +/gateway/status; changes nothing.")

    @OptionGroup var broker: BrokerOptions

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Counts for Prometheus, for the node exporter's textfile collector.")
    var metrics = false

    func run() async throws {
        let messages = try await HomesQuestion(broker: broker).ask(.list)
        var reports: [ExactString: HomeReport] = [:]
        for message in messages {
            guard let report = HomeReport(topic: message.topic, payload: message.payload) else { continue }
            reports[ExactString(report.home)] = report
        }
        let homes = Array(reports.values)
        if json {
            let lines = homes.sorted(by: HomeReport.isMoreUrgent).map { $0.json.serialized() + "\n" }
            print(lines.joined(), terminator: "")
        } else {
            let now = Clock.wall
            print(metrics ? Self.metrics(homes, now) : HomeList.table(homes, now: now), terminator: "")
        }
    }

    private static func metrics(_ homes: [HomeReport], _ now: Timestamp) -> String {
        let homes = homes.map { Fleet.Home($0, age: $0.age(now), patience: Fleet.patience) }
        return PrometheusText.encode(FleetMetrics.samples(homes))
    }
}

struct AddHome: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Makes a home's password, user and rights, without a restart of the broker.",
        discussion: "Needs a user with the role admin of Mosquitto's dynamic-security plugin.")

    @Argument(help: "The home's name, the first level of its topics.")
    var name: String

    @OptionGroup var broker: BrokerOptions

    @Option(help: "File for the password, which is made; it must not be there yet. Default NAME.password.")
    var passwordOut: String?

    @Flag(help: "The home logs in with a certificate of its name: no password is made.")
    var certificate = false

    func run() async throws {
        if let problem = HomeRights.problem(name) { throw SettingError(problem) }
        let file = certificate ? nil : passwordOut ?? "\(name).password"
        var password: String?
        // Before the broker knows it: a password that nobody has would lock the home out.
        if let file { password = try Self.makePassword(in: file) }
        do {
            let question = HomesQuestion(broker: broker)
            try await question.change(HomeRights.adding(name, password: password), tolerating: "Role already exists")
        } catch {
            if let file { try? FileManager.default.removeItem(atPath: file) }
            throw error
        }
        if let file {
            print(
                "\(name) may come in as user \(name); its password is in \(file): copy it to the home, and keep it secret"
            )
        } else {
            print("\(name) may come in with a certificate for \(name)")
        }
    }

    /// 24 random bytes in a file that only its owner reads.
    private static func makePassword(in file: String) throws -> String {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw SettingError(
                "\(file) is there already; a home keeps its password, or revoke it first and remove the file")
        }
        var random = SystemRandomNumberGenerator()
        let password = (0..<3).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        let isMade = FileManager.default.createFile(
            atPath: file, contents: Data(password.utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else { throw SettingError("\(file) cannot be written; name another with --password-out") }
        return password
    }
}

struct RevokeHome: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Takes a home's user and rights away and ends its connection at once.",
        discussion: "What it sent stays. Needs a user with the role admin of the dynamic-security plugin.")

    @Argument(help: "The home's name.")
    var name: String

    @OptionGroup var broker: BrokerOptions

    func run() async throws {
        if let problem = HomeRights.problem(name) { throw SettingError(problem) }
        try await HomesQuestion(broker: broker).change(HomeRights.revoking(name), tolerating: "Role not found")
        print("\(name) is out; its readings stay")
    }
}

extension BrokerOptions {
    /// Settings of a link that reads what the broker keeps of all homes.
    var settingsForHomes: ConnectionSettings {
        get throws {
            var settings = try self.settings(role: "homes")
            // No session is kept, and nobody can guess the name and take the connection over. Where MQTT_CLIENT_ID is a service's, as
            // in the pod of an ingestor, its session stays its own.
            settings.clientID = "\(clientID.given ?? "hearth")-homes-\(UUID().uuidString)"
            settings.cleanStart = true
            settings.sessionExpiry = 0
            settings.receiveMaximum = 10_000
            settings.batch = BatchLimits(messages: 4096, bytes: 4 << 20)
            return settings
        }
    }
}

/// Asks the broker once.
struct HomesQuestion {
    private static let patience: Int64 = 30_000_000_000

    let broker: BrokerOptions

    /// - Returns: the messages that answer.
    func ask(_ question: HomesLink.Question) async throws -> [Message] {
        let settings = try broker.settingsForHomes
        let answers = HomesLink.Answers()
        let connection = Connection(settings, name: "homes") { HomesLink(question, answers) }
        try connection.start()
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<[Message], any Error>) in
            startThread("homes") {
                let end = Clock.bootNanoseconds + Self.patience
                var state = answers.state.withLock { $0 }
                while !state.isDone, state.problem == nil, Clock.bootNanoseconds < end {
                    Clock.sleep(10_000_000)
                    state = answers.state.withLock { $0 }
                }
                connection.stop(within: 1_000_000_000)
                if state.isDone {
                    continuation.resume(returning: state.messages)
                } else {
                    continuation.resume(
                        throwing: SettingError(
                            state.problem
                                ?? "the broker did not answer within 30 s; the dynamic-security plugin may not be loaded there"
                        ))
                }
            }
        }
    }

    /// Has the plugin carry out a request.
    /// - Parameter tolerated: an error that means that it is so already.
    func change(_ request: JSON, tolerating tolerated: String) async throws {
        let messages = try await ask(.rights(request.bytes))
        let results = messages.flatMap { HomeRights.errors(in: $0.payload) }
        guard !results.isEmpty else {
            throw SettingError("the dynamic-security plugin gave no answer that can be read")
        }
        for result in results {
            guard let error = result.error, error != tolerated else { continue }
            throw SettingError("the broker did not do \(result.command): \(error)")
        }
    }
}
