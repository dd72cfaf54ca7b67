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
            text: "the cloud broker takes readings, but for \(minutes) min nothing was confirmed: \(backlog) wait here",
            advice:
                "Check in this order: whether hearth-cloud ingest runs and its log is quiet; whether the broker's ACL "
                + "lets this home's user read \(home.displayName)/gateway/ack and the ingestor write it; whether another "
                + "program reads in the ingestor's share group. Nothing is lost meanwhile.")
    }

    static func recordTooLarge(_ record: Journal.Record) -> Finding {
        Finding(
            name: "record-too-large", severity: .forwarding, subject: record.topic,
            text:
                "a message of \(record.payload.count) bytes on \(escaped(record.topic)) is larger than the cloud broker "
                + "takes",
            advice:
                "It is set aside (hearth journal). Raise max_packet_size or message_size_limit of the cloud broker, or "
                + "make the sender write less.")
    }

    private static func escaped(_ topic: String) -> String {
        RecordTopic(topic).map { "\($0.room.displayName)'s topic" } ?? "its topic"
    }
}
