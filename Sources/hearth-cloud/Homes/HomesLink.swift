import Heating
import MQTT
import Machine
import Synchronization

/// One question to the cloud broker and its answers, on the connection's thread: the statuses that it keeps, or what
/// its dynamic-security plugin says to a request.
final class HomesLink: ConnectionHandler {
    enum Question: Sendable {
        case list
        /// For the plugin, JSON.
        case rights([UInt8])
    }

    /// What has come so far, for the thread that waits.
    final class Answers: Sendable {
        struct State: Sendable {
            var messages: [Message] = []
            var problem: String?
            var isDone = false
        }

        let state = Mutex(State())
    }

    /// The broker sends what it keeps at once; a pause this long is the end of it.
    private static let quiet: Int64 = 250_000_000

    private let question: Question
    private let answers: Answers
    private var subscribedAt: Int64?
    private var lastAt: Int64 = 0

    init(_ question: Question, _ answers: Answers) {
        self.question = question
        self.answers = answers
    }

    private var filter: String {
        switch question {
        case .list: "+/gateway/status"
        case .rights: HomeRights.responseTopic
        }
    }

    private var needed: String {
        switch question {
        case .list: "the right to read it"
        case .rights: "the role admin of the dynamic-security plugin"
        }
    }

    func connected(_ link: Link, sessionPresent: Bool) {
        do { try link.subscribe([filter]) } catch { fail("subscribing to \(filter): \(error)") }
    }

    func subscribed(_ packetID: Int32, reasons: [ReasonCode], on link: Link) {
        if let refused = reasons.first(where: { !$0.isSuccess }) {
            return fail(
                "the cloud broker does not let this user subscribe to \(filter) (\(refused)); give it \(needed)")
        }
        subscribedAt = Clock.bootNanoseconds
        lastAt = Clock.bootNanoseconds
        guard case .rights(let request) = question else { return }
        do {
            try link.publish(Publication(topic: HomeRights.topic, payload: request, qos: 1))
        } catch {
            fail("asking the dynamic-security plugin: \(error)")
        }
    }

    func published(_ packetID: Int32, reason: ReasonCode, on link: Link) {
        if !reason.isSuccess {
            fail("the cloud broker does not let this user change rights (\(reason)); give it \(needed)")
        }
    }

    func received(_ batch: [Message], on link: Link) throws {
        lastAt = Clock.bootNanoseconds
        answers.state.withLock {
            $0.messages += batch
            if case .rights = question { $0.isDone = true }
        }
    }

    func turn(_ link: Link?, now: Int64) -> Int64? {
        guard case .list = question, subscribedAt != nil else { return nil }
        if now - lastAt >= Self.quiet { answers.state.withLock { $0.isDone = true } }
        return lastAt + Self.quiet
    }

    func disconnected(_ cause: Disconnection, after: Int64) -> Int64 {
        fail("the cloud broker: \(cause)")
        return 1_000_000_000
    }

    private func fail(_ problem: String) {
        answers.state.withLock { if !$0.isDone { $0.problem = $0.problem ?? problem } }
    }
}
