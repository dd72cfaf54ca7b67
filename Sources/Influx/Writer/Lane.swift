import CCurl
import Heating

/// One sequence of requests, one in flight at a time. Confined to the writer's thread.
///
/// Every series belongs to one lane (see ``InfluxWriter``), and a lane starts a request only when the one before
/// is decided, so two requests in flight never carry the same series.
final class Lane {
    private enum Phase {
        case idle
        case ready
        case sending(since: Int64)
        case waiting(until: Int64)
    }

    let handle: CurlHandle
    private var endpoint: WriteEndpoint
    private var target: InfluxSettings.Target
    /// The server refused the access, so it is read anew before the next request.
    private var isAccessRefused = false
    private let settings: InfluxSettings
    private var body: RequestBody
    /// The next chunk, whose body is ready before the connection is free.
    private var staged: Chunk?
    private var stagedBody: RequestBody
    private var phase = Phase.idle
    private var delivery: Delivery?
    /// The lines that `body` holds, so that a retry need not compress again.
    private var prepared: Range<Int>?
    /// The last line that was stored, with its end: sent again it changes nothing, and shows whether the server takes anything.
    private var known: [UInt8]?
    private var delay: RetryDelay
    private var timeouts = 0
    private var generator = SystemRandomNumberGenerator()

    init(endpoint: WriteEndpoint, settings: InfluxSettings) throws(InfluxError) {
        self.endpoint = endpoint
        target = settings.target
        self.settings = settings
        handle = try CurlHandle(headers: endpoint.headers, credentials: endpoint.credentials, settings: settings)
        body = try RequestBody(level: endpoint.compressionLevel)
        stagedBody = try RequestBody(level: endpoint.compressionLevel)
        delay = RetryDelay(
            base: settings.backoffBase.wholeNanoseconds, cap: settings.backoffCap.wholeNanoseconds)
    }

    var isIdle: Bool { if case .idle = phase { true } else { false } }
    var isSending: Bool { if case .sending = phase { true } else { false } }

    /// When the next attempt is due; nil unless one is waited for.
    var deadline: Int64? { if case .waiting(let until) = phase { until } else { nil } }

    /// Whether a chunk is welcome: to be sent now, or to be compressed while the one before is on its way.
    var wantsChunk: Bool { isIdle || (isSending && staged == nil) }

    /// Takes the next chunk.
    func accept(_ chunk: Chunk) {
        chunk.bytes.withUnsafeBytes { stagedBody.set($0) }
        staged = chunk
        if isIdle { advance() }
    }

    private func advance() {
        delivery = nil
        phase = .idle
        guard let chunk = staged else { return }
        staged = nil
        swap(&body, &stagedBody)
        prepared = chunk.lines.indices
        delivery = Delivery(chunk, canProve: known != nil)
        phase = .ready
    }

    /// Prepares the next request if there is one to send now; the caller adds the handle.
    func beginRequest(now: Int64) -> Bool {
        switch phase {
        case .idle, .sending: return false
        case .waiting(let until) where until > now: return false
        case .waiting, .ready: break
        }
        guard let delivery, let current = delivery.current else { return false }
        if delivery.isProving, let known {
            known.withUnsafeBytes { body.set($0) }
            prepared = nil
        } else if prepared != current {
            let range = delivery.chunk.bytes(of: current)
            delivery.chunk.bytes.withUnsafeBytes { body.set(UnsafeRawBufferPointer(rebasing: $0[range])) }
            prepared = current
        }
        if isAccessRefused { renewAccess() }
        let patience = settings.requestTimeout * (1 << min(timeouts, 2))
        handle.preparePost(endpoint.url, content: body.bytes, timeout: patience)
        phase = .sending(since: now)
        return true
    }

    private func renewAccess() {
        isAccessRefused = false
        guard let target = settings.renewed?(), target != self.target else { return }
        var settings = settings
        settings.target = target
        // What cannot work is no reason to give up what may.
        guard let endpoint = try? WriteEndpoint(settings) else { return }
        (self.target, self.endpoint) = (target, endpoint)
        handle.setAccess(headers: endpoint.headers, credentials: endpoint.credentials)
    }

    /// What a finished request means, and its share of the status.
    func endRequest(_ result: CURLcode, now: Int64, wallClock: Timestamp, status: inout InfluxStatus) {
        guard case .sending(let since) = phase else { return }
        status.requests += 1
        status.bytesSent += body.bytes.count
        let disposition = disposition(of: result, wallClock: wallClock)
        if disposition == .stored, let delivery, !delivery.isProving, let current = delivery.current {
            known = Array(delivery.chunk.bytes[delivery.chunk.bytes(of: current.upperBound - 1..<current.upperBound)])
        }
        timeouts = result == CURLE_OPERATION_TIMEDOUT ? timeouts + 1 : 0
        switch delivery?.handle(disposition) {
        case .proceed, .prove, nil:
            delay.reset()
            phase = .ready
            if disposition == .stored {
                status.lastSuccess = now
                status.lastLatency = .nanoseconds(now - since)
                status.lastError = nil
            }
            // Halves of what was refused in unknown words may all be: then the alarm goes on.
            if case .unclear = disposition {} else { failure = nil }
        case .again(let reason, let after):
            status.retries += 1
            status.lastError = reason
            let asked = after?.wholeNanoseconds ?? 0
            phase = .waiting(until: now + asked + delay.next(using: &generator))
            failure = Failure(since: failure?.since ?? since, reason: reason, isHold: false)
        case .hold(let reason):
            status.retries += 1
            status.lastError = reason
            let pause = settings.holdRetry.wholeNanoseconds
            phase = .waiting(until: now + pause + Int64.random(in: -pause / 5...pause / 5, using: &generator))
            failure = Failure(since: failure?.since ?? since, reason: reason, isHold: true)
        }
    }

    private struct Failure {
        /// Boot time when the first of the requests began that have failed since.
        var since: Int64
        var reason: String
        var isHold: Bool
    }

    private var failure: Failure?

    /// The reason of the latest hold, or of retries that have gone on for ``InfluxSettings/alarmAfter``, until a request is
    /// decided. A server may ask for a wait that is longer than that, so it is a matter of the time and not of an answer.
    func alarm(now: Int64) -> String? {
        guard let failure else { return nil }
        return failure.isHold || now - failure.since >= settings.alarmAfter.wholeNanoseconds ? failure.reason : nil
    }

    /// When the alarm is due that is not raised yet.
    var alarmDue: Int64? { failure.flatMap { $0.isHold ? nil : $0.since + settings.alarmAfter.wholeNanoseconds } }

    /// The delivery when its every line is decided; the lane goes on to the next chunk.
    func takeFinished() -> Delivery? {
        guard case .ready = phase, let delivery, delivery.current == nil else { return nil }
        failure = nil
        advance()
        return delivery
    }

    private func disposition(of result: CURLcode, wallClock: Timestamp) -> Disposition {
        if result == CURLE_OK {
            isAccessRefused = handle.status == 401 || handle.status == 403
            return Disposition(status: handle.status, body: handle.body, headers: handle.headers, now: wallClock)
        }
        return Disposition(transport: result, message: handle.errorMessage(result))
    }
}

extension Disposition {
    /// A transfer without a complete answer. Whether the points are stored is unknown; sending them again is
    /// harmless, since a point overwrites itself.
    init(transport result: CURLcode, message: String) {
        switch result {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_URL_MALFORMAT,
            CURLE_UNSUPPORTED_PROTOCOL:
            self = .hold(reason: message)
        default:
            self = .retry(reason: message, after: nil)
        }
    }
}
