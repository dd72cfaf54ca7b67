import HTTP
import Testing

@Suite(.timeLimit(.minutes(1))) struct ServerTests {
    @Test func `requests on one connection are answered in order, also when they come at once`() async throws {
        try await withServer { port in
            let client = try RawClient(port: port)
            client.send(
                "GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            #expect(client.read(until: "GET /a?x=1 0\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(client.read(until: "POST /b? 3\n").hasSuffix("POST /b? 3\n"))
            client.send("HEAD /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let rest = client.rest() ?? "no end"
            #expect(rest.contains("content-length: 11") && rest.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func `what is not HTTP is refused`() async throws {
        try await withServer { port in
            let client = try RawClient(port: port)
            client.send("\u{16}\u{03}\u{01} hello\r\n\r\n")
            #expect(client.rest()?.contains("200 OK") == false)
        }
    }

    @Test func `a request that trickles is cut off after its time, and others are served meanwhile`() async throws {
        try await withServer(HTTPLimits(requestTime: .seconds(1))) { port in
            let slow = try RawClient(port: port)
            let started = ContinuousClock.now
            slow.send("GET / HTTP/1.1\r\n")
            let other = try RawClient(port: port)
            other.send("GET /other HTTP/1.1\r\nConnection: close\r\n\r\n")
            #expect(other.rest()?.hasSuffix("GET /other? 0\n") == true)
            while slow.send("X: y\r\n"), ContinuousClock.now - started < .seconds(8) { usleepMilliseconds(100) }
            let taken = ContinuousClock.now - started
            #expect(taken > .milliseconds(900) && taken < .seconds(5))
        }
    }

    @Test func `a body that trickles is cut off as well`() async throws {
        try await withServer(HTTPLimits(requestTime: .milliseconds(500))) { port in
            let slow = try RawClient(port: port)
            slow.send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\na")
            #expect(slow.rest() == "")
        }
    }

    @Test func `headers without end are cut off at their limit`() async throws {
        try await withServer(HTTPLimits(headerBytes: 4096)) { port in
            let client = try RawClient(port: port)
            client.send("GET / HTTP/1.1\r\n")
            var sent = 0
            while sent < 50_000_000, client.send("A: \(String(repeating: "b", count: 1000))\r\n") { sent += 1000 }
            #expect(sent < 20_000_000)
            #expect(client.rest()?.contains("200") != true)
        }
    }

    @Test func `a body that is too large is refused before it is read, announced or not`() async throws {
        try await withServer(HTTPLimits(bodyBytes: 100)) { port in
            let announced = try RawClient(port: port)
            announced.send("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n")
            #expect(announced.rest()?.hasPrefix("HTTP/1.1 413") == true)
            let chunked = try RawClient(port: port)
            chunked.send(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nc8\r\n\(String(repeating: "x", count: 200))\r\n")
            #expect(chunked.rest()?.hasPrefix("HTTP/1.1 413") == true)
        }
    }

    @Test func `connections that say nothing make room for one that asks`() async throws {
        try await withServer(HTTPLimits(connections: 8)) { port in
            let silent = try (0..<100).map { _ in
                let client = try RawClient(port: port)
                client.send("GET / HTTP/1.1\r\nX:")
                return client
            }
            // All have been accepted once these are closed; one that came later would take the asking one's place.
            for client in silent.prefix(92) { #expect(client.rest() == "") }
            let started = ContinuousClock.now
            for _ in 0..<20 {
                let client = try RawClient(port: port)
                client.send("GET /ask HTTP/1.1\r\nConnection: close\r\n\r\n")
                #expect(client.rest()?.hasSuffix("GET /ask? 0\n") == true)
            }
            #expect(ContinuousClock.now - started < .seconds(5))
        }
    }

    @Test func `connections beyond the limit are closed when all others are being answered`() async throws {
        let never: HTTPServer.Handler = { _ in HTTPResponse(200, body: .stream(AsyncStream { _ in })) }
        try await withServer(HTTPLimits(connections: 3), handler: never) { port in
            let open = try (0..<3).map { _ in try RawClient(port: port) }
            for client in open {
                client.send("GET / HTTP/1.1\r\n\r\n")
                #expect(client.read(until: "\r\n\r\n").contains("200 OK"))
            }
            #expect(try RawClient(port: port).rest() == "")
        }
    }

    @Test func `a stream is sent piece by piece, and a client that does not read is given up`() async throws {
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        let (stopped, continuation) = AsyncStream.makeStream(of: Void.self)
        let stream: HTTPServer.Handler = { _ in
            let (stream, pieces) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(2))
            let feed = Task {
                while !Task.isCancelled {
                    pieces.yield(piece)
                    try? await Task.sleep(for: .milliseconds(1))
                }
            }
            pieces.onTermination = { _ in
                feed.cancel()
                continuation.yield()
            }
            return HTTPResponse(200, body: .stream(stream))
        }
        try await withServer(HTTPLimits(responseTime: .seconds(1)), handler: stream) { port in
            let reader = try RawClient(port: port)
            reader.send("GET / HTTP/1.1\r\n\r\n")
            #expect(reader.read(until: "aaaa").contains("200 OK"))
            // From here on it reads nothing; the server must notice by itself.
            usleepMilliseconds(3000)
        }
        var iterator = stopped.makeAsyncIterator()
        #expect(await iterator.next() != nil)
    }

    @Test func `a header that is there twice is not believed`() {
        let request = HTTPRequest(
            method: "GET", target: "/", headers: [("Host", "a"), ("host", "b"), ("X-One", "1")])
        #expect(request.header("host") == nil && request.header("x-one") == "1")
    }
}
