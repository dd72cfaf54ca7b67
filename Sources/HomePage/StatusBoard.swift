import GatewayClient
import Heating
import Synchronization

/// The daemon's latest word, and the pages that wait for the next one.
package final class StatusBoard: Sendable {
    /// More open pages than this are somebody's loop.
    static let streamLimit = 24

    /// Why there is no status, and what was said last: a page that is opened only now shows since when it is so.
    struct Loss: Sendable {
        enum Kind: String, Sendable {
            /// hearthd has ended.
            case stopped
            /// It is there and does not answer: stopped by a debugger, hung, or out of processor time.
            case silent
            /// Nobody can tell from here: the socket is not ours to use, or is not hearthd's.
            case hidden
        }

        var kind: Kind
        var reason: String
        /// The last status that was heard.
        var last: JSON?
        var heardAt: ContinuousClock.Instant?

        /// As the page reads it. A length of time and not a time of day: box and browser need not agree on that.
        func json(now: ContinuousClock.Instant) -> JSON {
            [
                "kind": .string(kind.rawValue), "reason": .string(reason), "status": last ?? .null,
                "ageSeconds": heardAt.map { JSON(age(since: $0, now: now)) } ?? .null,
            ]
        }
    }

    enum Latest: Sendable {
        /// Nothing was heard yet.
        case unknown
        case status(JSON, at: ContinuousClock.Instant)
        /// hearthd does not answer.
        case lost(Loss)

        /// When hearthd answered last.
        var heardAt: ContinuousClock.Instant? {
            switch self {
            case .unknown: nil
            case .status(_, let at): at
            case .lost(let loss): loss.heardAt
            }
        }
    }

    package init() {}

    private struct Contents {
        var latest = Latest.unknown
        var streams: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
        var next = 0

        mutating func publish(_ latest: Latest, _ now: ContinuousClock.Instant) {
            self.latest = latest
            let event = StatusBoard.event(latest, now)
            for stream in streams.values { stream.yield(event) }
        }
    }

    private let contents = Mutex(Contents())

    var latest: Latest { contents.withLock { $0.latest } }
    var streamCount: Int { contents.withLock { $0.streams.count } }

    func publish(_ status: JSON, now: ContinuousClock.Instant) {
        contents.withLock { $0.publish(.status(status, at: now), now) }
    }

    func publish(lost kind: Loss.Kind, _ reason: String, now: ContinuousClock.Instant) {
        contents.withLock { contents in
            var loss = Loss(kind: kind, reason: reason)
            switch contents.latest {
            case .unknown: break
            case .status(let json, let at): (loss.last, loss.heardAt) = (json, at)
            case .lost(let before): (loss.last, loss.heardAt) = (before.last, before.heardAt)
            }
            contents.publish(.lost(loss), now)
        }
    }

    /// The latest word and every further one, as server-sent events. A page that is slow skips some.
    /// - Returns: nil when there are too many already.
    func subscribe(now: ContinuousClock.Instant) -> AsyncStream<[UInt8]>? {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(2))
        let number = contents.withLock { contents -> Int? in
            guard contents.streams.count < Self.streamLimit else { return nil }
            contents.next += 1
            contents.streams[contents.next] = continuation
            continuation.yield(Self.event(contents.latest, now))
            return contents.next
        }
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in
            _ = self?.contents.withLock { $0.streams.removeValue(forKey: number) }
        }
        return stream
    }

    /// https://html.spec.whatwg.org/multipage/server-sent-events.html: JSON has no line ends outside its escapes.
    private static func event(_ latest: Latest, _ now: ContinuousClock.Instant) -> [UInt8] {
        switch latest {
        case .unknown: Array(": nothing was heard yet\n\n".utf8)
        case .status(let json, _): Array("event: status\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
        case .lost(let loss): Array("event: lost\ndata: ".utf8) + loss.json(now: now).bytes + Array("\n\n".utf8)
        }
    }
}

/// In seconds, to a tenth.
func age(since start: ContinuousClock.Instant, now: ContinuousClock.Instant) -> Double {
    (max(.zero, now - start) / .milliseconds(100)).rounded() / 10
}
