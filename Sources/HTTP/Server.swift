import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP/1.1 server on SwiftNIO: one thread, one handler, and limits on everything a client can take.
package struct HTTPServer: Sendable {
    package typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// An IP address, or a name that the system resolves.
    package var host: String
    /// 0 for any free port.
    package var port: Int
    package var limits: HTTPLimits
    /// Puts what lies between the socket and HTTP, such as TLS, into the pipeline of a new connection, which is closed when it
    /// throws. Called on the server's one thread. The time of ``HTTPLimits/requestTime`` runs meanwhile.
    package var prepare: (@Sendable (any Channel) throws -> Void)?
    private let handler: Handler

    package init(host: String, port: Int, limits: HTTPLimits = HTTPLimits(), handler: @escaping Handler) {
        self.host = host
        self.port = port
        self.limits = limits
        self.handler = handler
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once with the port, as soon as connections are accepted.
    /// - Throws: when the address cannot be listened on.
    package func run(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await serve(on: group, onListening: onListening)
        } catch {
            try? await group.shutdownGracefully()
            if !(error is CancellationError) { throw error }
            return
        }
        try? await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup, onListening: @Sendable (Int) -> Void) async throws {
        let limits = limits
        let prepare = prepare
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try prepare?(channel)
                    try pipeline.addHandler(HeaderLimit(bytes: limits.headerBytes))
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: true)
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        onListening(listener.channel.localAddress?.port ?? port)
        let open = Count()
        let waiting = WaitingConnections()
        try await withThrowingDiscardingTaskGroup { tasks in
            try await listener.executeThenClose { connections in
                for try await connection in connections {
                    if open.enter() > limits.connections, !waiting.closeOldest() {
                        // All of them are busy. Closed by being used for nothing.
                        tasks.addTask {
                            try? await connection.executeThenClose { _, _ in }
                            open.leave()
                        }
                        continue
                    }
                    let place = waiting.add(connection.channel)
                    tasks.addTask {
                        await Conversation(
                            connection: connection, limits: limits, waiting: waiting, place: place, handler: handler
                        ).run()
                        open.leave()
                    }
                }
            }
        }
    }
}

/// Runs `body`, which may block, on a thread that is there for that.
package func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(body)
}

/// How many connections are open.
private final class Count: Sendable {
    private let count = Atomic(0)

    /// - Returns: how many there are with this one.
    func enter() -> Int { count.add(1, ordering: .relaxed).newValue }

    func leave() { count.subtract(1, ordering: .relaxed) }
}

/// Connections from which no complete request has arrived yet, oldest first.
///
/// At the limit the oldest of them makes room: a client that holds connections open and says nothing keeps nobody out,
/// and one that has asked is answered.
final class WaitingConnections: Sendable {
    private struct Contents {
        var channels: [Int: any Channel] = [:]
        var next = 0
        /// No waiting connection has a lower number.
        var oldest = 0
    }

    private let contents = Mutex(Contents())

    /// - Returns: a number to pass to ``remove(_:)``.
    func add(_ channel: any Channel) -> Int {
        contents.withLock { contents in
            defer { contents.next += 1 }
            contents.channels[contents.next] = channel
            return contents.next
        }
    }

    func remove(_ number: Int) {
        contents.withLock { _ = $0.channels.removeValue(forKey: number) }
    }

    /// - Returns: false when there is none.
    func closeOldest() -> Bool {
        let channel = contents.withLock { contents -> (any Channel)? in
            while contents.oldest < contents.next {
                defer { contents.oldest += 1 }
                if let channel = contents.channels.removeValue(forKey: contents.oldest) { return channel }
            }
            return nil
        }
        channel?.close(promise: nil)
        return channel != nil
    }
}
