import GatewayClient
import Heating

/// Why the page's own server has nothing to show, or does not do what is asked. The page has each of them in all its languages
/// (`Page/said.*.js`).
enum WebSentence: String, CaseIterable {
    case notRunning = "hearthd is not running"
    case forbidden = "hearth-web may not use hearthd's control socket"
    case noAnswer = "hearthd gives no answer"
    case hungUp = "hearthd has hung up; it may be restarting"
    case broken = "hearthd's control socket does not work"
    case stopping = "hearth-web is stopping; try again"
    case otherPage = "this request does not come from the page; reload it and try again"
}

extension VarlinkError {
    /// Why the daemon gives no answer, or does not do it.
    /// - Returns: nil for a refusal that has no code, because no person's wish leads to it.
    var sentence: Sentence? {
        switch self {
        case .noSocket, .refused: Sentence(WebSentence.notRunning)
        case .denied: Sentence(WebSentence.forbidden)
        case .timedOut: Sentence(WebSentence.noAnswer)
        case .closed: Sentence(WebSentence.hungUp)
        case .refusal(_, let parameters): parameters["say"].flatMap { Sentence($0) }
        case .pathTooLong, .oversized, .malformed, .system, .interrupted: Sentence(WebSentence.broken)
        }
    }

    /// The same in English.
    var reason: String {
        if case .refusal(_, let parameters) = self { return parameters["message"]?.string ?? "hearthd refused" }
        return sentence?.text ?? ""
    }
}
