import EventLog
import Heating

/// The dead-letter topic as a person sees it: what is in it and has not been dealt with.
///
/// An event cannot be taken out of a log. Whoever has dealt with some appends a note of their places; a dead letter
/// without a note is open.
struct DeadLetterBox {
    /// A dead letter with its place.
    struct Item: Sendable {
        var partition: Int32
        var offset: Int64
        /// Wall nanoseconds.
        var at: Int64
        var letter: DeadLetter

        /// What a person names it by.
        var place: String { "\(partition)@\(offset)" }
    }

    /// Which ones.
    struct Filter: Sendable {
        /// A word that the reason has; nil for any.
        var reason: String?
        /// Wall nanoseconds.
        var since: Int64?
        var until: Int64?
        var place: String?

        func takes(_ item: Item) -> Bool {
            if let reason, !item.letter.reason.lowercased().contains(reason.lowercased()) { return false }
            if let since, item.at < since { return false }
            if let until, item.at > until { return false }
            return place.map { $0 == item.place } ?? true
        }
    }

    private static let action = "action"

    /// The dead letters of a log that are open, oldest first per partition, one after the other: there may be more of them
    /// than memory, so what is remembered meanwhile is only which places somebody has dealt with.
    static func each(
        in log: any EventLog, topic: String, where takes: (Item) -> Bool = { _ in true }, _ body: (Item) -> Void
    ) throws(EventLogError) {
        var handled = Places()
        var isAny = false
        try log.scan(topic) { stored in
            if stored.headers.contains(where: { $0.name == action }) {
                handled.insert(ranges(of: stored))
            } else if !isAny, let item = Item(stored) {
                isAny = takes(item)
            }
        }
        guard isAny else { return }
        try log.scan(topic) { stored in
            // A note that was written since is about letters that were open when this began.
            guard !handled.contains(stored), let item = Item(stored), takes(item) else { return }
            body(item)
        }
    }

    /// The same in parts of at most so many, of which no more than one is in memory.
    static func parts(
        of count: Int, in log: any EventLog, topic: String, where takes: (Item) -> Bool = { _ in true },
        _ body: ([Item]) throws -> Void
    ) throws {
        var part: [Item] = []
        var failure: (any Error)?
        try each(in: log, topic: topic, where: { failure == nil && takes($0) }) { item in
            part.append(item)
            guard part.count >= count else { return }
            do { try body(part) } catch { failure = error }
            part = []
        }
        if let failure { throw failure }
        if !part.isEmpty { try body(part) }
    }

    /// All of them at once; for few.
    static func open(
        in log: any EventLog, topic: String, where takes: (Item) -> Bool = { _ in true }
    ) throws(EventLogError) -> [Item] {
        var items: [Item] = []
        try each(in: log, topic: topic, where: takes) { items.append($0) }
        return items
    }

    /// Which places of the topic somebody has dealt with, or is about to.
    struct Places {
        fileprivate var ranges: [Int32: SequenceRanges] = [:]
        private(set) var count = 0

        mutating func insert(_ item: Item) {
            insert([(item.partition, item.offset + 1...item.offset + 1)])
            count += 1
        }

        fileprivate mutating func insert(_ more: [(Int32, ClosedRange<Int64>)]) {
            // One up, since sequences begin with 1 and offsets with 0.
            for (partition, range) in more { ranges[partition, default: SequenceRanges()].insert(range) }
        }

        fileprivate func contains(_ stored: Event) -> Bool {
            ranges[stored.partition]?.contains(stored.offset + 1) ?? false
        }
    }

    /// Events that note these as dealt with.
    static func notes(of items: [Item], action word: String, topic: String) -> [Event] {
        var places = Places()
        for item in items { places.insert(item) }
        return notes(of: places, action: word, topic: topic)
    }

    static func notes(of places: Places, action word: String, topic: String) -> [Event] {
        places.ranges.sorted { $0.key < $1.key }.flatMap { partition, ranges in
            pieces(ranges.ranges).map { piece in
                let text = piece.map { "\(partition) \($0.lowerBound) \($0.upperBound)" }.joined(separator: "\n")
                return Event(
                    topic: topic, key: "hearth-cloud", value: Array(text.utf8),
                    headers: [.init(name: action, value: Array(word.utf8))])
            }
        }
    }

    /// The partition whose places a note names; nil for anything else.
    static func partition(ofNote event: Event) -> Int32? {
        event.headers.contains { $0.name == action } ? ranges(of: event).first?.0 : nil
    }

    /// Small enough for one event each.
    private static func pieces(_ ranges: [ClosedRange<Int64>]) -> [ArraySlice<ClosedRange<Int64>>] {
        stride(from: 0, to: ranges.count, by: 5000).map { ranges[$0..<min($0 + 5000, ranges.count)] }
    }

    private static func ranges(of note: Event) -> [(Int32, ClosedRange<Int64>)] {
        String(decoding: note.value ?? [], as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let partition = Int32(words[0]), let first = Int64(words[1]),
                let last = Int64(words[2]), first <= last
            else { return nil }
            return (partition, first...last)
        }
    }
}

extension DeadLetterBox.Item {
    /// nil for a note, and what is no dead letter.
    fileprivate init?(_ stored: Event) {
        guard let letter = DeadLetter(stored) else { return nil }
        self.init(partition: stored.partition, offset: stored.offset, at: stored.appendedAt, letter: letter)
    }
}
