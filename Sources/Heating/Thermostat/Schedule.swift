/// A point in the week on the household's own clock, to the minute.
public struct LocalTime: Comparable, Hashable, Sendable {
    public static let minutesPerWeek = 7 * 24 * 60

    /// 0 is Monday 00:00; below ``minutesPerWeek``.
    public let minuteOfWeek: Int

    /// Nil outside of 0 (Monday) to 6, 0 to 23, 0 to 59.
    public init?(weekday: Int, hour: Int, minute: Int) {
        guard (0..<7).contains(weekday), (0..<24).contains(hour), (0..<60).contains(minute) else { return nil }
        minuteOfWeek = (weekday * 24 + hour) * 60 + minute
    }

    /// The time of a clock that is `offset` ahead of UTC.
    public init(_ time: Timestamp, offset: Duration) {
        let local = time.nanoseconds.addingSaturated(offset.wholeNanoseconds)
        let minute = local.flooredDivision(by: 60_000_000_000).quotient
        // 1970-01-01 was a Thursday.
        minuteOfWeek = Int((minute + 3 * 1440).flooredDivision(by: Int64(Self.minutesPerWeek)).remainder)
    }

    init(minuteOfWeek: Int) {
        self.minuteOfWeek = minuteOfWeek
    }

    public static func < (left: LocalTime, right: LocalTime) -> Bool { left.minuteOfWeek < right.minuteOfWeek }
}

/// A week of presets: each line names days, a time and the preset from then on, `"mon-fri 06:30 comfort"`.
///
/// What counts at a time depends on that time alone: the last change at or before it, last week's when there is none
/// in this one. So an hour that a change to summer time leaves out skips no change, and a restart misses none.
public struct Schedule: Equatable, Sendable {
    /// As they were written.
    public let lines: [String]
    /// By minute of the week, ascending, each minute once.
    private let changes: [Change]

    private struct Change: Equatable, Sendable {
        var minute: Int
        var preset: Preset
    }

    /// One line in its parts.
    public struct Entry: Equatable, Sendable {
        /// `mon` to `sun`, in this order.
        public var days: [String]
        /// `06:30`.
        public var time: String
        public var preset: Preset
    }

    /// A line that is no change, with what is wrong.
    public struct SyntaxError: Error, Equatable, Sendable {
        public var line: String
        public var problem: Sentence

        /// The line, in quotes, and its problem.
        public var sentence: Sentence {
            Sentence(SettingSentence.line, ["line": .text("\"\(line)\""), "problem": .sentence(problem)])
        }
    }

    /// All lines that are no changes.
    public struct SyntaxErrors: Error, Equatable, Sendable {
        public var errors: [SyntaxError]

        /// One after the other.
        public var sentence: Sentence {
            let sentences = errors.map(\.sentence)
            return sentences.dropLast().reversed().reduce(sentences.last ?? Sentence(SettingSentence.lines)) {
                rest, first in
                Sentence(SettingSentence.lines, ["first": .sentence(first), "rest": .sentence(rest)])
            }
        }
    }

    /// Without changes: the room's own limits always count.
    public init() {
        lines = []
        changes = []
    }

    /// Of two changes at the same minute the later line counts, so that a line may name the exception to one before.
    public init(_ lines: [String]) throws(SyntaxErrors) {
        var presets: [Int: Preset] = [:]
        var errors: [SyntaxError] = []
        for line in lines {
            do throws(SyntaxError) {
                let (days, minute, preset) = try Self.parse(line)
                for day in days { presets[day * 1440 + minute] = preset }
            } catch {
                errors.append(error)
            }
        }
        guard errors.isEmpty else { throw SyntaxErrors(errors: errors) }
        self.lines = lines
        changes = presets.sorted { $0.key < $1.key }.map { Change(minute: $0.key, preset: $0.value) }
    }

    /// The lines in their parts, for who edits them.
    public var entries: [Entry] {
        lines.compactMap { line in
            guard let (days, minute, preset) = try? Self.parse(line) else { return nil }
            let clock = [minute / 60, minute % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
            return Entry(days: Set(days).sorted().map { Self.days[$0] }, time: clock, preset: preset)
        }
    }

    public var isEmpty: Bool { changes.isEmpty }

    /// The preset at a time; nil only without any change.
    public func preset(at time: LocalTime) -> Preset? {
        (changes.last { $0.minute <= time.minuteOfWeek } ?? changes.last)?.preset
    }

    // MARK: - Reading a line

    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private static func parse(_ line: String) throws(SyntaxError) -> (days: [Int], minute: Int, preset: Preset) {
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        func problem(_ sentence: SettingSentence, _ word: Substring, _ names: String = "") -> SyntaxError {
            let values: KeyValuePairs<String, Sentence.Value> = ["word": .text("\"\(word)\""), "names": .text(names)]
            return SyntaxError(line: line, problem: Sentence(sentence, values))
        }
        guard words.count == 3 else {
            let example = Sentence.Value.text("\"mon-fri 06:30 comfort\"")
            throw SyntaxError(line: line, problem: Sentence(SettingSentence.lineParts, ["example": example]))
        }
        guard let days = parseDays(words[0].lowercased()) else {
            throw problem(.lineDays, words[0])
        }
        guard let minute = parseTime(words[1]) else {
            throw problem(.lineTime, words[1])
        }
        guard let preset = Preset(rawValue: words[2].lowercased()) else {
            throw problem(.linePreset, words[2], Preset.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return (days, minute, preset)
    }

    /// `mon`, `mon-fri`, `sat-mon` (over the weekend), `mon,wed,sat-sun`, `daily`.
    private static func parseDays(_ text: String) -> [Int]? {
        if text == "daily" { return Array(0..<7) }
        var result: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                days.firstIndex(of: String($0))
            }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1] else { return nil }
            result += (0...((last - first + 7) % 7)).map { (first + $0) % 7 }
        }
        return result
    }

    private static func parseTime(_ text: Substring) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        let digits = [0, 1, 3, 4].map { Int(bytes[$0]) - 48 }
        guard digits.allSatisfy((0...9).contains) else { return nil }
        let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }
}

/// Follows the household's clock through the week without living an hour twice.
///
/// When summer time ends, or the clock is corrected a little, local time goes back; until it has caught up the time
/// from before stands, so that no change of a schedule is undone and done again. A larger step is a clock that was
/// wrong, and the new time counts at once.
public struct ScheduleClock: Equatable, Sendable {
    /// The longest step back that is waited out.
    public static let longestWait = 60

    private var latest: LocalTime?

    public init() {}

    /// The time that counts when the clock on the wall shows `time`.
    public mutating func follow(_ time: LocalTime) -> LocalTime {
        if let latest {
            let back = latest.minuteOfWeek - time.minuteOfWeek
            let week = LocalTime.minutesPerWeek
            if (1...Self.longestWait).contains((back + week) % week) { return latest }
        }
        latest = time
        return time
    }
}
