import Heating
import MQTT

extension StatusReport {
    /// Words of a second or two are on their way.
    private static let silence = Duration.seconds(3)
    /// A recording side that is to start and has not.
    private static let startPatience = Duration.seconds(3)
    /// For so long the end of a recording side is told although it runs again: it is back before anybody looks.
    private static let memory = Duration.seconds(60)

    /// What is wrong now, most urgent first.
    var findings: [Finding] {
        var findings = heatingFindings + homeBrokerFindings + gateway.controlFindings.snapshot
        findings += gateway.settingsFindings.snapshot
        // What a process that is gone had found is not known any more.
        findings += forwardFinding.map { [$0] } ?? (recentEnd + forward.report.findings)
        // The home broker's absence is one fact, although two connections notice it.
        if findings.contains(where: { $0.name == "no-home-broker" }) {
            findings.removeAll { $0.name == "record-not-connected" }
        }
        return findings.ordered
    }

    private var heatingFindings: [Finding] {
        var findings = control.findings(now: now)
        if let problem = state.configurationError {
            findings.append(
                .init(
                    name: "configuration-rejected", severity: .heating,
                    text: .finding(.reloadRefused, ["problem": .text(problem)]),
                    advice: .finding(.mendFile, command: "systemctl reload hearthd")))
        }
        return findings
    }

    /// The process that records and forwards is gone, silent, or has not begun.
    var forwardFinding: Finding? {
        let advice = Sentence.finding(.startsItself, command: "journalctl -u hearthd")
        if forward.pid == nil, forward.ending == nil, now - forward.since > Self.startPatience {
            return Finding(
                name: "recording-stopped", severity: .recording,
                text: .finding(.notStarted),
                advice: .finding(.raiseTasks, command: "systemctl restart hearthd"))
        }
        if forward.pid == nil, let ending = forward.ending {
            let next = forward.nextStart.map { max(.zero, $0 - now) } ?? .zero
            return Finding(
                name: "recording-stopped", severity: .recording,
                text: .finding(.ended, ["ending": .text(ending), "time": .duration(next)]), advice: advice)
        }
        guard let heardAt = forward.heardAt, now - heardAt > Self.silence else { return nil }
        return Finding(
            name: "recording-silent", severity: .recording,
            text: .finding(.noAnswer, ["time": .duration(now - heardAt)]), advice: advice)
    }

    /// The home broker is there and throws Control out, and a finding says for what.
    private var isExplained: Bool {
        let causes = ["commands-refused", "readings-refused", "another-gateway"]
        guard gateway.controlFindings.snapshot.contains(where: { causes.contains($0.name) }) else { return false }
        guard case .waiting(_, let last) = gateway.control.state else { return gateway.control.isConnected }
        return last.kind == .lost || last.kind == .disconnectedByBroker
    }

    /// It died and runs again.
    private var recentEnd: [Finding] {
        guard forward.pid != nil, let failedAt = forward.failedAt, let ending = forward.ending,
            now - failedAt <= Self.memory
        else { return [] }
        return [
            Finding(
                name: "recording-stopped", severity: .notice,
                text: .finding(.endedAndRuns, ["ending": .text(ending), "time": .duration(now - failedAt)]),
                advice: .finding(.ifItComesBack, command: "journalctl -u hearthd"))
        ]
    }

    private var homeBrokerFindings: [Finding] {
        let control = links.first { $0.name == "control" }
        guard let control, !control.isConnected, control.said != LinkView.waiting, !isExplained else { return [] }
        return [
            Finding(
                name: "no-home-broker", severity: .cold,
                text: .finding(
                    .noHomeBroker,
                    ["peer": .text(control.peer), "links": .sentence(Sentence(LinkSentence.control))]),
                advice: .finding(.checkMosquitto, command: "systemctl status mosquitto"))
        ]
    }
}
