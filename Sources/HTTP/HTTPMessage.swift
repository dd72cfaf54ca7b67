/// A request, complete and within the server's limits.
package struct HTTPRequest: Sendable {
    package var method: String
    /// The path as it was sent, without the query. Nothing is decoded: a route is a literal.
    package var path: String
    /// What follows the `?`; empty without one.
    package var query: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// Whether the connection came over the loopback interface.
    package var isFromThisMachine: Bool

    package init(
        method: String, target: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        isFromThisMachine: Bool = false
    ) {
        self.isFromThisMachine = isFromThisMachine
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = parts.count > 1 ? String(parts[1]) : ""
        self.headers = headers
        self.body = body
    }

    /// The value of a header that is there exactly once. A repeated one is nil: whoever checks it must not have to
    /// guess which of them the next program would have believed.
    package func header(_ name: String) -> String? {
        let found = headers.filter { $0.name.lowercased() == name.lowercased() }
        return found.count == 1 ? found[0].value : nil
    }
}

/// What is answered.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Sent piece by piece until the stream ends or the client goes away.
        case stream(AsyncStream<[UInt8]>)
    }

    /// 100 to 599.
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A text of one line, or any text of another `type`.
    package init(_ status: Int, text: String, type: String = "text/plain; charset=utf-8") {
        self.init(status, headers: [("content-type", type)], body: .bytes(Array(text.utf8)))
    }

    /// The body when it is known as a whole; nil for a stream.
    package var bytes: [UInt8]? {
        if case .bytes(let bytes) = body { bytes } else { nil }
    }
}

/// What no client may exceed. Whoever does is answered or hung up on; nobody else notices.
package struct HTTPLimits: Sendable {
    /// Connections at the same time. A further one takes the place of the oldest that has not asked anything yet; if all
    /// are being answered, it is closed at once.
    package var connections: Int
    /// For a whole request to arrive, counted from its connection's start or the answer before it: a client that
    /// sends a byte now and then is gone after this time.
    package var requestTime: Duration
    /// For an answer, or a piece of a stream, to be taken by the client.
    package var responseTime: Duration
    package var bodyBytes: Int
    /// All header lines of a request together.
    package var headerBytes: Int

    package init(
        connections: Int = 64, requestTime: Duration = .seconds(10), responseTime: Duration = .seconds(15),
        bodyBytes: Int = 16 << 10, headerBytes: Int = 16 << 10
    ) {
        self.connections = connections
        self.requestTime = requestTime
        self.responseTime = responseTime
        self.bodyBytes = bodyBytes
        self.headerBytes = headerBytes
    }
}
