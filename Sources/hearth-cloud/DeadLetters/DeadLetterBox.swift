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

    /// The dead letters of a log that are open, oldest first per partition.
    static func open(
        in log: any EventLog, topic: String, where takes: (Item) -> Bool = { _ in true }
    ) throws(EventLogError) -> [Item] {
        var items: [Item] = []
        var handled: [Int32: SequenceRanges] = [:]
        try log.scan(topic) { stored in
            if stored.event.headers.contains(where: { $0.name == action }) {
                for (partition, range) in ranges(of: stored.event) {
                    handled[partition, default: SequenceRanges()].insert(range)
                }
            } else if let letter = DeadLetter(stored.event) {
                let item = Item(
                    partition: stored.partition, offset: stored.offset, at: stored.appendedAt, letter: letter)
                if takes(item) { items.append(item) }
            }
        }
        return items.filter { !(handled[$0.partition]?.contains($0.offset + 1) ?? false) }
    }

    /// Events that note these as dealt with.
    static func notes(of items: [Item], action word: String, topic: String) -> [Event] {
        var ranges: [Int32: SequenceRanges] = [:]
        // One up, since sequences begin with 1 and offsets with 0.
        for item in items {
            let place = item.offset + 1
            ranges[item.partition, default: SequenceRanges()].insert(place...place)
        }
        return ranges.sorted { $0.key < $1.key }.flatMap { partition, ranges in
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
