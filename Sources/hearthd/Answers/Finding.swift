import Heating
import Logging
import Synchronization

/// Something a person should know, with what to do about it: one entry of the list that status, doctor, `systemctl
/// status`, the page and Home Assistant show.
struct Finding: Equatable, Sendable {
    /// What it costs the house while it lasts. The list is in this order: what makes a house cold stands before what makes
    /// a log long.
    enum Severity: Int, Comparable, Sendable, CaseIterable {
        /// Nobody heats, or a room is not heated.
        case cold
        /// Something of the heating is not as it should be, but the house is heated.
        case heating
        /// Readings are not kept.
        case recording
        /// Readings are kept and do not leave, or are not confirmed.
        case forwarding
        /// Nothing is lost; somebody should look.
        case notice

        static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }

        /// Stable name for machines.
        var name: String { "\(self)" }
    }

    /// Stable name for machines, `journal-damaged`.
    var name: String
    var severity: Severity
    /// What it is about where there may be several of one name: a room, a topic, a file. Empty otherwise.
    var subject = ""
    /// The room that it is about, if it is about one.
    var room: Room?
    /// One sentence for a household, of ``FindingSentence``'s.
    var sentence: Sentence
    /// What to do, with the line to write where there is one.
    var remedy: Sentence

    /// ``sentence`` in English.
    var text: String { sentence.text }
    /// ``remedy`` in English.
    var advice: String { remedy.text }

    /// What the child's lanes found, as it came over the socket.
    init?(_ json: JSON) {
        guard let name = json["name"]?.string, let text = json["say"]?["text"].flatMap({ Sentence($0) }),
            let advice = json["say"]?["advice"].flatMap({ Sentence($0) }),
            let severity = json["severity"]?.string.flatMap({ word in Severity.allCases.first { $0.name == word } })
        else { return nil }
        self.init(
            name: name, severity: severity, subject: json["subject"]?.string ?? "",
            room: json["room"]?.string.flatMap { Room($0) }, text: text, advice: advice)
    }

    init(
        name: String, severity: Severity, subject: String = "", room: Room? = nil, text: Sentence, advice: Sentence
    ) {
        (self.name, self.severity, self.subject, self.room) = (name, severity, subject, room)
        (sentence, remedy) = (text, advice)
    }

    var json: JSON {
        [
            "name": .string(name), "severity": .string(severity.name), "subject": .string(subject),
            "room": room.map { .string($0.name) } ?? .null, "text": .string(text), "advice": .string(advice),
            "say": ["text": sentence.json, "advice": remedy.json],
        ]
    }
}

/// The findings of one lane: the lane reports and resolves, everybody else reads. Never waits for more than its lock.
final class FindingBoard: Sendable {
    private struct Key: Hashable {
        var name: String
        /// As bytes: names from the wire that are canonically equivalent are two.
        var subject: [UInt8]
    }

    /// Further ones of the same list would not be read either.
    static let limit = 100

    private let findings = Mutex<[Key: Finding]>([:])

    /// Most urgent first, then by name and subject.
    var snapshot: [Finding] { findings.withLock { Array($0.values) }.ordered }

    /// Adds the finding or replaces the one of its name and subject.
    /// - Returns: whether it is news: nothing of this name and subject stood here.
    @discardableResult
    func report(_ finding: Finding) -> Bool {
        findings.withLock { findings in
            let key = Key(name: finding.name, subject: Array(finding.subject.utf8))
            guard findings[key] != nil || findings.count < Self.limit else { return false }
            return findings.updateValue(finding, forKey: key) == nil
        }
    }

    /// Reports the finding, with a line of the log when it is news; nil takes the one of this name and subject away.
    func settle(_ finding: Finding?, name: String, _ subject: String = "", in logger: Logger) {
        guard let finding else {
            resolve(name, subject)
            return
        }
        guard report(finding) else { return }
        logger.warning("\(finding.text)", metadata: ["advice": "\(finding.advice)"])
    }

    /// Takes the finding away.
    /// - Returns: whether it stood here.
    @discardableResult
    func resolve(_ name: String, _ subject: String = "") -> Bool {
        findings.withLock { $0.removeValue(forKey: Key(name: name, subject: Array(subject.utf8))) != nil }
    }

    /// Takes all findings of the name away.
    func resolveAll(_ name: String) {
        findings.withLock { findings in findings = findings.filter { $0.key.name != name } }
    }
}

extension [Finding] {
    /// Most urgent first, then by name and subject.
    var ordered: [Finding] {
        sorted { ($0.severity, $0.name, $0.subject) < ($1.severity, $1.name, $1.subject) }
    }
}
