import Heating
import Journal

/// Recognises a redelivery of what is already on disk.
///
/// After a reconnect with a kept session the broker sends its unacknowledged messages again with the same packet ids
/// (MQTT 5 section 4.4; measured on Mosquitto 2.0.11). libmosquitto hides the DUP flag, so the packet id together with
/// topic and bytes is compared with the last committed entries, at most a Receive Maximum of them. A message that only
/// looks the same and is new would carry the same timestamp and value, so treating it as the same loses nothing.
///
/// Of topic and bytes a fingerprint is kept, so that a window of thousands takes 16 bytes for each. Two that differ
/// share one with a probability of 2^-64: Swift's `Hasher` is SipHash with a key of this process.
struct RedeliveryFilter {
    private struct Print: Equatable {
        let packetID: UInt16
        let fingerprint: Int

        init(_ entry: Journal.Entry) {
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
        private static func origin(of entry: Journal.Entry) -> (source: String, isArrival: Bool)? {
            guard entry.attributes.starts(with: RecordAttributes.sourcePrefix) else { return nil }
            return RecordAttributes(bytes: entry.attributes).origin
        }
    }

    private let window: Int
    /// The last committed entries, a ring of `window`.
    private var ring: [Print] = []
    private var oldest = 0
    private var candidates: [UInt16: Print] = [:]
    /// Messages that may still be redeliveries; past them packet ids are simply being used again.
    private var remaining = 0

    init(window: Int, committed: [Journal.Record]) {
        self.window = window
        self.committed(
            committed.suffix(window).map {
                Journal.Entry(
                    topic: $0.topic, payload: $0.payload, attributes: $0.attributes, packetID: $0.packetID,
                    receivedAt: $0.receivedAt)
            })
    }

    mutating func reconnected(sessionPresent: Bool) {
        candidates = [:]
        remaining = 0
        guard sessionPresent else { return }
        for index in ring.indices {
            let print = ring[(oldest + index) % ring.count]
            if print.packetID != 0 { candidates[print.packetID] = print }
        }
        remaining = window
    }

    mutating func isRedelivery(_ entry: Journal.Entry) -> Bool {
        guard remaining > 0 else { return false }
        remaining -= 1
        let old = entry.packetID == 0 ? nil : candidates.removeValue(forKey: entry.packetID)
        if remaining == 0 { candidates = [:] }
        return old == Print(entry)
    }

    mutating func committed(_ entries: [Journal.Entry]) {
        for entry in entries {
            if ring.count < window {
                ring.append(Print(entry))
            } else if window > 0 {
                ring[oldest] = Print(entry)
                oldest = (oldest + 1) % window
            }
        }
    }
}
