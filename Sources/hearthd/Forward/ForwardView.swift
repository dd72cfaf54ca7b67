import Glibc
import Heating

extension ForwardProcess {
    /// What the rest of the parent may know.
    struct View: Sendable {
        /// nil while none is running.
        var pid: pid_t?
        /// Boot time since when it is running, or gone.
        var since: Instant
        /// How often it was started again.
        var restarts = 0
        /// What it said last of itself; kept when it is gone.
        var report = ForwardReport()
        /// What its predecessors had counted.
        var carried = JSON.null
        /// Boot time of its last word.
        var heardAt: Instant?
        /// How it ended last, or why it cannot be started.
        var ending: String?
        /// Boot time of its last end that nobody had asked for.
        var failedAt: Instant?
        /// Boot time of the next start while none is running.
        var nextStart: Instant?
    }
}

extension ForwardProcess.View {
    /// What this process's recording sides have counted since it started.
    var counters: JSON { Self.sum(carried, report.counters) }

    /// Why a question has no answer.
    var whyUnanswered: String {
        pid == nil
            ? "the recording side is not running (it \(ending ?? "has not started")); it is started again by itself"
            : "the recording side does not answer; is its disk frozen?"
    }

    /// Of two objects of numbers, and of such objects, the sum of each key.
    static func sum(_ left: JSON, _ right: JSON) -> JSON {
        if let a = left.int, let b = right.int { return JSON(a + b) }
        guard case .object(var members) = left else { return right }
        guard case .object(let more) = right else { return left }
        for member in more.members { members[member.key] = sum(members[member.key] ?? .null, member.value) }
        return .object(members)
    }
}
