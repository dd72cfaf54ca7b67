import GatewayClient
import Glibc

/// An error for a person: one line on what happened, one on what to do next, and the process's exit code.
struct Problem: Error, Equatable {
    /// Printable already.
    var text: String
    var advice: String?
    var exitCode: Int32

    init(_ text: String, advice: String? = nil, exitCode: Int32) {
        self.text = text
        self.advice = advice
        self.exitCode = exitCode
    }

    init(_ error: VarlinkError) {
        self.init(
            error.explanation, advice: error.advice, exitCode: error.meansUnreachable ? EX_UNAVAILABLE : EXIT_FAILURE)
    }

    var lines: [String] {
        ["hearth: \(text)"] + (advice.map { ["what to do: \($0)"] } ?? [])
    }
}
