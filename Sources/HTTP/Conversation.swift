import NIOCore
import NIOHTTP1

/// What happens on one connection: request, answer, request, answer, each within its time.
struct Conversation {
    let connection: HTTPServer.Connection
    let limits: HTTPLimits
    let waiting: WaitingConnections
    /// Its number among those that wait, given when it was accepted: of many that come at once the first make room.
    let place: Int
    let handler: HTTPServer.Handler

    private typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    private typealias Parts = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator

    /// Until the client leaves, breaks the rules or is too slow.
    func run() async {
        try? await connection.executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            var place = place
            while let (head, request) = try await nextRequest(&parts, outbound, place) {
                let response = await handler(request)
                try await send(response, to: head, outbound)
                guard head.isKeepAlive, response.bytes != nil else { return }
                place = waiting.add(connection.channel)
            }
        }
        waiting.remove(place)
    }

    // MARK: Receiving

    /// The next complete request; nil when there is none, or none that will be answered by the handler.
    private func nextRequest(
        _ parts: inout Parts, _ outbound: Outbound, _ place: Int
    ) async throws -> (HTTPRequestHead, HTTPRequest)? {
        let deadline = closing(after: limits.requestTime)
        defer {
            deadline.cancel()
            waiting.remove(place)
        }
        var head: HTTPRequestHead?
        var body: [UInt8] = []
        while let part = try await parts.next() {
            switch part {
            case .head(let received):
                head = received
                let length = received.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
                if length > limits.bodyBytes { return try await refuse(received, 413, outbound) }
            case .body(let buffer):
                body += buffer.readableBytesView
                if let head, body.count > limits.bodyBytes { return try await refuse(head, 413, outbound) }
            case .end:
                guard let head else { return nil }
                let address = connection.channel.remoteAddress?.ipAddress ?? ""
                let isFromThisMachine =
                    address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
                return (head, HTTPRequest(head, body, isFromThisMachine: isFromThisMachine))
            }
        }
        return nil
    }

    private func refuse(
        _ head: HTTPRequestHead, _ status: Int, _ outbound: Outbound
    ) async throws -> (HTTPRequestHead, HTTPRequest)? {
        var head = head
        head.headers.replaceOrAdd(name: "connection", value: "close")
        try await send(HTTPResponse(status, text: "too large\n"), to: head, outbound)
        return nil
    }

    /// Closes the connection unless it is cancelled in time.
    private func closing(after time: Duration) -> Scheduled<Void> {
        let channel = connection.channel
        return channel.eventLoop.scheduleTask(in: TimeAmount(time)) { channel.close(promise: nil) }
    }

    // MARK: Sending

    private func send(_ response: HTTPResponse, to request: HTTPRequestHead, _ outbound: Outbound) async throws {
        var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
        let bytes = response.bytes
        if let bytes { headers.add(name: "content-length", value: "\(bytes.count)") }
        headers.add(name: "connection", value: request.isKeepAlive && bytes != nil ? "keep-alive" : "close")
        let status = HTTPResponseStatus(statusCode: response.status)
        let head = HTTPServerResponsePart.head(.init(version: request.version, status: status, headers: headers))
        let isBodyWanted = request.method != .HEAD
        switch response.body {
        case .bytes(let bytes):
            let body: [HTTPServerResponsePart] =
                isBodyWanted && !bytes.isEmpty ? [.body(.byteBuffer(ByteBuffer(bytes: bytes)))] : []
            try await write([head] + body + [.end(nil)], outbound)
        case .stream(let pieces):
            try await write([head], outbound)
            if isBodyWanted {
                for await piece in pieces { try await write([.body(.byteBuffer(ByteBuffer(bytes: piece)))], outbound) }
            }
            try await write([.end(nil)], outbound)
        }
    }

    /// Waits while the client does not read, but not for ever.
    private func write(_ parts: [HTTPServerResponsePart], _ outbound: Outbound) async throws {
        let deadline = closing(after: limits.responseTime)
        defer { deadline.cancel() }
        try await outbound.write(contentsOf: parts)
    }
}

extension HTTPRequest {
    fileprivate init(_ head: HTTPRequestHead, _ body: [UInt8], isFromThisMachine: Bool) {
        self.init(
            method: head.method.rawValue, target: head.uri, headers: head.headers.map { ($0.name, $0.value) },
            body: body, isFromThisMachine: isFromThisMachine)
    }
}

/// Hangs up on a client whose request line and headers do not end within a number of bytes.
///
/// NIO's parser limits one header field, not their sum. Sits before the parser and looks for the empty line only; body
/// bytes are counted as well, which the limit of a body leaves room for.
final class HeaderLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let limit: Int
    /// Bytes since the last empty line.
    private var count = 0
    /// How much of CR LF CR LF has been seen; a bare LF counts for both, as it does for the parser.
    private var lineIsEmpty = true

    init(bytes limit: Int) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            count += 1
            switch byte {
            case 0x0A:
                if lineIsEmpty { count = 0 }
                lineIsEmpty = true
            case 0x0D: break
            default: lineIsEmpty = false
            }
        }
        // A body without line ends may be this long; more is refused by its own limit.
        guard count <= 2 * limit else { return context.close(promise: nil) }
        context.fireChannelRead(data)
    }
}
