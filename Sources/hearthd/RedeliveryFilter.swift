import Journal

/// Recognises a redelivery of what is already on disk.
///
/// After a reconnect with a kept session the broker sends its unacknowledged messages again with the same packet ids
/// (MQTT 5 section 4.4; measured on Mosquitto 2.0.11). libmosquitto hides the DUP flag, so the packet id together with
/// topic and bytes is compared with the last committed entries, at most a Receive Maximum of them. A message that only
/// looks the same and is new would carry the same timestamp and value, so treating it as the same loses nothing.
struct RedeliveryFilter {
    private let window: Int
    /// The last committed entries, a ring of `window`.
    private var ring: [Journal.Entry] = []
    private var oldest = 0
    private var candidates: [UInt16: Journal.Entry] = [:]
    /// Messages that may still be redeliveries; past them packet ids are simply being used again.
    private var remaining = 0

    init(window: Int, committed: [Journal.Record]) {
        self.window = window
        for record in committed.suffix(window) {
            ring.append(
                .init(
                    topic: record.topic, payload: record.payload, attributes: record.attributes,
                    packetID: record.packetID, receivedAt: record.receivedAt))
        }
    }

    mutating func reconnected(sessionPresent: Bool) {
        candidates = [:]
        remaining = 0
        guard sessionPresent else { return }
        for index in ring.indices {
            let entry = ring[(oldest + index) % ring.count]
            if entry.packetID != 0 { candidates[entry.packetID] = entry }
        }
        remaining = window
    }

    mutating func isRedelivery(_ entry: Journal.Entry) -> Bool {
        guard remaining > 0 else { return false }
        remaining -= 1
        let old = entry.packetID == 0 ? nil : candidates.removeValue(forKey: entry.packetID)
        if remaining == 0 { candidates = [:] }
        guard let old else { return false }
        return old.topic == entry.topic && old.payload == entry.payload && old.attributes == entry.attributes
    }

    mutating func committed(_ entries: [Journal.Entry]) {
        for entry in entries {
            if ring.count < window {
                ring.append(entry)
            } else if window > 0 {
                ring[oldest] = entry
                oldest = (oldest + 1) % window
            }
        }
    }
}
