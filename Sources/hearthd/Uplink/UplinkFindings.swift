import Heating
import Journal
import MQTT

/// Whether the ingestor is silent although the broker takes what is sent. A granted subscription does not prove that
/// anything arrives: Mosquitto grants it and then drops what its ACL denies. Times are boot time, nanoseconds.
struct ConfirmationSilence {
    static let limit: Int64 = 60_000_000_000

    enum Verdict: Equatable {
        /// Nothing waits for a confirmation.
        case quiet
        case waiting(until: Int64)
        case overdue(since: Int64)
    }

    /// When the broker took the first record since the last confirmation.
    private var since: Int64?

    mutating func delivered(at now: Int64) { since = since ?? now }
    mutating func confirmed() { since = nil }
    mutating func disconnected() { since = nil }

    /// - Parameter isOpen: something is unconfirmed.
    mutating func verdict(isOpen: Bool, now: Int64) -> Verdict {
        if !isOpen { since = nil }
        guard let since else { return .quiet }
        return now - since >= Self.limit ? .overdue(since: since) : .waiting(until: since + Self.limit)
    }
}

/// That the cloud broker refuses records: told once, not per record. Times are boot time, nanoseconds.
struct RecordRefusal {
    /// An ingestor takes all topics or none; a plain broker may take some and refuse others, which are tried again every
    /// ten minutes at the latest.
    let quiet: Int64
    private var last: (reason: ReasonCode, at: Int64)?

    init(isForIngestor: Bool) { quiet = isForIngestor ? 0 : 900_000_000_000 }

    /// - Returns: whether it is news.
    mutating func refused(_ reason: ReasonCode, at now: Int64) -> Bool {
        defer { last = (reason, now) }
        return last?.reason != reason
    }

    /// A record was taken.
    /// - Returns: whether a refusal is over by that.
    mutating func accepted(at now: Int64) -> Bool {
        guard let last, now - last.at >= quiet else { return false }
        self.last = nil
        return true
    }
}

extension UplinkState.BrokerAnswer {
    init(_ reason: ReasonCode) {
        switch reason {
        case _ where reason.isDelivered: self = .delivered
        case .noMatchingSubscribers: self = .nobody
        case .packetTooLarge: self = .tooLarge
        default: self = .refused
        }
    }
}

extension Finding {
    static let unconfirmedName = "unconfirmed"

    static func unconfirmed(home: HomeID, backlog: Int64, minutes: Int64) -> Finding {
        Finding(
            name: unconfirmedName, severity: .forwarding,
            text: .finding(.unconfirmed, ["minutes": .count(minutes), "count": .count(backlog)]),
            advice: .finding(.checkInOrder, ["topic": .text("\(home.displayName)/gateway/ack")]))
    }

    static func recordTooLarge(_ record: Journal.Record) -> Finding {
        let room = RecordTopic(record.topic)?.room.displayName
        return Finding(
            name: "record-too-large", severity: .forwarding, subject: record.topic,
            text: .finding(
                room == nil ? .tooLargeSomewhere : .tooLarge,
                ["count": .count(record.payload.count), "room": .text(room ?? "")]),
            advice: .finding(.raiseLimits))
    }
}
