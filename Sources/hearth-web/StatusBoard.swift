import GatewayClient
import Heating
import Synchronization

/// The daemon's latest word, and the pages that wait for the next one.
final class StatusBoard: Sendable {
    /// More open pages than this are somebody's loop.
    static let streamLimit = 24

    enum Latest: Sendable {
        /// Nothing was heard yet.
        case unknown
        case status(JSON)
        /// hearthd does not answer, and why.
        case lost(String)
    }

    private struct Contents {
        var latest = Latest.unknown
        var streams: [Int: AsyncStream<[UInt8]>.Continuation] = [:]
        var next = 0
    }

    private let contents = Mutex(Contents())

    var latest: Latest { contents.withLock { $0.latest } }
    var streamCount: Int { contents.withLock { $0.streams.count } }

    func publish(_ latest: Latest) {
        let event = Self.event(latest)
        contents.withLock { contents in
            contents.latest = latest
            for stream in contents.streams.values { stream.yield(event) }
        }
    }

    /// The latest word and every further one, as server-sent events. A page that is slow skips some.
    /// - Returns: nil when there are too many already.
    func subscribe() -> AsyncStream<[UInt8]>? {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(2))
        let number = contents.withLock { contents -> Int? in
            guard contents.streams.count < Self.streamLimit else { return nil }
            contents.next += 1
            contents.streams[contents.next] = continuation
            continuation.yield(Self.event(contents.latest))
            return contents.next
        }
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in
            _ = self?.contents.withLock { $0.streams.removeValue(forKey: number) }
        }
        return stream
    }

    /// https://html.spec.whatwg.org/multipage/server-sent-events.html: JSON has no line ends outside its escapes.
    private static func event(_ latest: Latest) -> [UInt8] {
        switch latest {
        case .unknown: Array(": nothing was heard yet\n\n".utf8)
        case .status(let json): Array("event: status\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
        case .lost(let reason):
            Array("event: lost\ndata: ".utf8) + (["reason": .string(reason)] as JSON).bytes + Array("\n\n".utf8)
        }
    }
}
