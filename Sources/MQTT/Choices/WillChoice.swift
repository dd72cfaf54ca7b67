/// How much of a last will a broker takes.
public enum WillAdmission: Int, Sendable, Comparable {
    /// As it was asked for, or none was asked for.
    case full
    /// Not retained: the broker keeps no retained messages.
    case unretained
    /// Not retained and at QoS 0.
    case plain
    /// Not at all.
    case none

    public static func < (left: WillAdmission, right: WillAdmission) -> Bool { left.rawValue < right.rawValue }
}

/// How much of the last will the next attempt asks for: a broker that refuses a will refuses the whole connection
/// (MQTT v5 3.1.2.5 and 3.2.2.2), and a will is not worth one.
struct WillChoice: Equatable {
    /// Failures at the CONNECT without an answer before the will is left out, where it has been taken before.
    private static let patienceWithAcquaintance = 4

    private let asked: Publication?
    private(set) var admission = WillAdmission.full
    private var failures = 0
    private var wasTaken = false

    init(_ will: Publication?) { asked = will }

    /// What to give the broker.
    var will: Publication? {
        guard var will = asked, admission < .none else { return nil }
        if admission >= .unretained { will.retain = false }
        if admission >= .plain { will.qos = 0 }
        return will
    }

    /// The broker sent its CONNACK: this much it takes.
    mutating func accepted() {
        failures = 0
        wasTaken = admission < .none
    }

    /// An attempt or a connection ended.
    ///
    /// - Parameter atConnect: the peer closed after the CONNECT and before a CONNACK, or sent none in time, with either
    ///   version.
    /// - Returns: true if the next attempt should be made at once, with less of the will.
    mutating func failed(_ cause: Disconnection, atConnect: Bool) -> Bool {
        guard let asked else { return false }
        if cause.kind == .refused { return refused(cause.reason, asked) }
        guard atConnect else { return false }
        failures += 1
        guard failures >= (wasTaken ? Self.patienceWithAcquaintance : 1) else { return false }
        // It may have been the will or not: with and without take turns.
        failures = 0
        admission = admission == .none ? .full : .none
        return false
    }

    private mutating func refused(_ reason: ReasonCode?, _ asked: Publication) -> Bool {
        switch reason {
        case .retainNotSupported where admission < .unretained && asked.retain: admission = .unretained
        case .qosNotSupported where admission < .plain && asked.qos > 0: admission = .plain
        case .unsupportedProtocolVersion, .clientIDNotValid, .badUserNameOrPassword, .serverUnavailable,
            .serverShuttingDown:
            return false
        case _ where admission < .none: admission = .none
        default:
            // It was not the will.
            admission = .full
            return false
        }
        return true
    }
}
