import Heating
import Journal

/// Recognises a redelivery of what is already on disk.
///
/// After a reconnect with a kept session the broker sends its unacknowledged messages again with the same packet ids
/// (MQTT 5 section 4.4; measured on Mosquitto 2.0.11). libmosquitto hides the DUP flag, so the packet id together with
/// topic and bytes is compared with the last committed entries, at most a Receive Maximum of them. A message that only
/// looks the same and is new would carry the same timestamp and value, so treating it as the same loses nothing. A message
/// of several measures has made several entries, all of one commit.
///
/// Of topic and bytes a fingerprint is kept, so that a window of thousands takes 16 bytes for each. Two that differ
/// share one with a probability of 2^-64: Swift's `Hasher` is SipHash with a key of this process.
struct RedeliveryFilter {
    private struct Print: Equatable {
        let packetID: UInt16
        let fingerprint: Int
        /// The entry before it was of another message.
        var isFirst = true

        init(_ entry: Journal.Record) {
            packetID = entry.packetID
            var hasher = Hasher()
            hasher.combine(ExactString(entry.topic))
            // With their counts, so that a byte cannot move from one to the other.
            if let origin = Self.origin(of: entry) {
                hasher.combine(ExactString(origin.source))
                // The time in such a payload is the arrival's, which is another one when it comes again.
                let text = origin.isArrival ? (try? Reading(payload: entry.payload))?.valueText : nil
                hasher.combine(text.map { Array($0.utf8) } ?? entry.payload)
            } else {
                hasher.combine(entry.payload)
            }
            // A command's reason is part of what came; zone, fold and nth were decided here, later, and may be others now.
            if case .heatpump = HomeTopic(entry.topic) { hasher.combine(entry.attributes) }
            fingerprint = hasher.finalize()
        }

        /// Of a reading that was made of another message than the black box's.
        private static func origin(of entry: Journal.Record) -> (source: String, isArrival: Bool)? {
            guard entry.attributes.starts(with: RecordAttributes.sourcePrefix) else { return nil }
            return RecordAttributes(bytes: entry.attributes).origin
        }
    }

    private let window: Int
    /// The last committed entries, a ring of at most so many.
    private let capacity: Int
    private var ring: [Print] = []
    private var oldest = 0
    private var last: (packetID: UInt16, receivedAt: Int64) = (0, 0)
    private var candidates: [UInt16: [Int]] = [:]
    /// What is known of the message that is being looked at.
    private var current: [Int] = []
    /// Messages that may still be redeliveries; past them packet ids are simply being used again.
    private var remaining = 0

    /// How many entries are looked at, for so many messages of at most so many readings.
    static func capacity(window: Int, readings: Int) -> Int { window * min(max(1, readings), 16) }

    /// - Parameters:
    ///   - window: most messages that come again.
    ///   - readings: most readings of one message.
    init(window: Int, readings: Int = 1, committed: [Journal.Record]) {
        self.window = window
        capacity = Self.capacity(window: window, readings: readings)
        self.committed(committed.suffix(capacity))
    }

    mutating func reconnected(sessionPresent: Bool) {
        (candidates, current) = ([:], [])
        remaining = 0
        guard sessionPresent else { return }
        for index in ring.indices {
            let print = ring[(oldest + index) % ring.count]
            guard print.packetID != 0 else { continue }
            if print.isFirst { candidates[print.packetID] = [] }
            candidates[print.packetID, default: []].append(print.fingerprint)
        }
        remaining = window
    }

    /// - Parameter ofSameMessage: the entry before it was made of the same message.
    mutating func isRedelivery(_ entry: Journal.Record, ofSameMessage: Bool = false) -> Bool {
        if !ofSameMessage {
            current = []
            guard remaining > 0 else { return false }
            remaining -= 1
            current = entry.packetID == 0 ? [] : candidates.removeValue(forKey: entry.packetID) ?? []
            if remaining == 0 { candidates = [:] }
        }
        guard !current.isEmpty, let index = current.firstIndex(of: Print(entry).fingerprint) else { return false }
        current.remove(at: index)
        return true
    }

    mutating func committed(_ entries: some Sequence<Journal.Record>) {
        for entry in entries {
            var print = Print(entry)
            print.isFirst = last != (entry.packetID, entry.receivedAt)
            last = (entry.packetID, entry.receivedAt)
            if ring.count < capacity {
                ring.append(print)
            } else if capacity > 0 {
                ring[oldest] = print
                oldest = (oldest + 1) % capacity
            }
        }
    }
}
