import Glibc
import Machine

/// The loop of a connection's thread: orders, socket, handler, writing, sleeping, in this order.
///
/// Acknowledgements leave in `flush()` only, and only while no batch is waiting for the handler.
final class ConnectionLoop {
    private static let longestSleep = nanosecondsPerSecond

    private let connection: Connection
    private let handler: any ConnectionHandler

    private var settings: ConnectionSettings
    private var generation = 0
    private var stopBy: Int64?

    private var client: Client?
    private var link: Link?
    private var choices: AttemptChoices
    private var attemptClock = AttemptClock()
    /// Boot time of the CONNACK, and of the next attempt.
    private var connectedSince: Int64 = 0
    private var nextAttempt: Int64 = 0
    private var batchClock = BatchClock()
    /// Until then the socket is not watched; whatever it has is read afterwards.
    private var napEnd: Int64 = 0
    private var nextKeepAlive: Int64 = 0
    private var reportedStage: Client.Stage?

    init(_ connection: Connection, handler: any ConnectionHandler) {
        self.connection = connection
        self.handler = handler
        (settings, generation) = connection.currentSettings
        choices = AttemptChoices(settings)
    }

    func run() {
        var events: Int16 = 0
        while true {
            var now = Clock.bootNanoseconds
            connection.recordTurn(now)
            guard obeyOrders(now) else { break }
            if link != nil, stopBy == nil, let renewal = choices.version.renewal, now >= renewal {
                renew(.triedAgain)
            }
            if client == nil, stopBy == nil, now >= nextAttempt { attempt() }
            serve(events)
            // The handler may have taken long: longer than somebody waits.
            if connection.currentOrders.isAbandoned { break }
            now = Clock.bootNanoseconds
            let (isDone, timer) = consultHandler(now)
            flush()
            if isDone, let stopBy {
                client?.disconnect(by: stopBy)
                break
            }
            let deadline = nextDeadline(timer, now)
            events = connection.sleep(
                until: deadline, socket: client?.descriptor, for: napEnd > 0 ? 0 : client?.pollEvents ?? 0)
        }
        end()
    }

    // MARK: Orders

    /// - Returns: false to end without another call to the handler.
    private func obeyOrders(_ now: Int64) -> Bool {
        let orders = connection.currentOrders
        if orders.isAbandoned { return false }
        if let deadline = orders.stopBy, stopBy == nil {
            stopBy = deadline
            // An attempt is not worth finishing.
            if link == nil { end() }
        }
        if orders.generation != generation, stopBy == nil {
            (settings, generation) = connection.currentSettings
            choices.forget(settings)
            renew(.newSettings)
        }
        return true
    }

    /// Ends the connection in order and makes it again at once.
    private func renew(_ reason: DisconnectionSentence) {
        if let client {
            perform { () throws(Disconnection) in try handOver(client) }
            flush()
            // At most this long does an unresponsive broker delay the new connection.
            self.client?.disconnect(by: Clock.bootNanoseconds + nanosecondsPerSecond)
            if self.client != nil { lose(Disconnection(.reconfigured, reason, ["peer": .text(client.peer)])) }
        }
        nextAttempt = 0
    }

    // MARK: Connecting

    private func attempt() {
        let now = Clock.bootNanoseconds
        attemptClock.began(at: now)
        reportedStage = nil
        // Not a stage of the client: the call below blocks in the resolver, so it is said before.
        connection.report(.connecting(since: now, phase: .resolving))
        choices.begin(now: now)
        perform { () throws(Disconnection) in
            let client = try Client(settings, version: choices.version.current, will: choices.will.will)
            self.client = client
            try client.connect(only: choices.family.only)
            attemptClock.resolved(at: Clock.bootNanoseconds, settings)
            reportStage(client)
        }
    }

    private func establish(_ client: Client, _ events: Int16) throws(Disconnection) {
        let family = client.stage == .tcp ? client.addressFamily : nil
        do throws(Disconnection) {
            try client.establish(events)
            if client.stage == .mqtt, reportedStage != .mqtt {
                attemptClock.asked(at: Clock.bootNanoseconds, isImpatient: choices.version.isImpatient, settings)
            }
            if client.stage != .connected, Clock.bootNanoseconds >= attemptClock.end {
                throw client.timeout(after: attemptClock.limit)
            }
        } catch {
            if client.stage == .tcp { choices.unanswered(over: family) }
            throw error
        }
        reportStage(client)
        if client.stage == .connected, let acceptance = client.acceptance { try accept(client, acceptance) }
    }

    private func accept(_ client: Client, _ acceptance: Client.Acceptance) throws(Disconnection) {
        connectedSince = Clock.bootNanoseconds
        choices.accepted(now: connectedSince)
        nextKeepAlive = 0
        connection.report(.connected(since: connectedSince, version: client.version))
        let link = Link(
            client, acceptance, will: choices.will.admission, maximumQoS: choices.maximumQoS(now: connectedSince))
        self.link = link
        handler.connected(link, sessionPresent: acceptance.sessionPresent)
        try obeyDrop(link)
    }

    private func reportStage(_ client: Client) {
        guard client.stage != reportedStage else { return }
        reportedStage = client.stage
        switch client.stage {
        case .tcp: connection.report(.connecting(since: attemptClock.start, phase: .tcp))
        case .tls: connection.report(.connecting(since: attemptClock.start, phase: .tls))
        case .mqtt: connection.report(.connecting(since: attemptClock.start, phase: .mqtt))
        case .connected: break
        }
    }

    // MARK: The socket

    private func serve(_ events: Int16) {
        guard let client else { return }
        perform { () throws(Disconnection) in
            if client.stage != .connected { try establish(client, events) }
            guard client.stage == .connected else { return }
            let hasNapped = napEnd > 0
            try receive(client, isReadable: events & ~Int16(POLLOUT) != 0 || client.hasHiddenData || hasNapped)
            let now = Clock.bootNanoseconds
            if now >= nextKeepAlive {
                nextKeepAlive = now + nanosecondsPerSecond
                try client.keepAlive()
            }
        }
    }

    private func receive(_ client: Client, isReadable: Bool) throws(Disconnection) {
        let waiting = client.messages.count
        var failure: Disconnection?
        if isReadable {
            do throws(Disconnection) { try client.read() } catch { failure = error }
        }
        if client.messages.count > waiting {
            batchClock.read(at: Clock.bootNanoseconds, isFirst: waiting == 0, settings.batch)
        }
        try deliverAnswers(client)
        if client.isBatchFull || failure != nil || Clock.bootNanoseconds >= batchDue {
            try handOver(client, after: failure)
        }
        if let failure { throw failure }
    }

    private func deliverAnswers(_ client: Client) throws(Disconnection) {
        guard let link, !client.grants.isEmpty || !client.confirmations.isEmpty || !client.releases.isEmpty else {
            return
        }
        let grants = client.grants
        let confirmations = client.confirmations
        client.grants.removeAll()
        let releases = client.releases
        client.confirmations.removeAll()
        client.releases.removeAll()
        for grant in grants { handler.subscribed(grant.packetID, reasons: grant.reasons, on: link) }
        for packetID in releases { handler.unsubscribed(packetID, on: link) }
        for answer in confirmations { handler.published(answer.packetID, reason: answer.reason, on: link) }
        try obeyDrop(link)
    }

    /// Boot time at which the waiting batch must be handed over.
    private var batchDue: Int64 {
        stopBy == nil ? batchClock.due(settings.batch, keepAlive: settings.keepAlive) : 0
    }

    /// Gives the waiting batch to the handler. Afterwards its acknowledgements may be written.
    ///
    /// - Parameter failure: the connection has already failed with this, so the handler's error changes nothing.
    private func handOver(_ client: Client, after failure: Disconnection? = nil) throws(Disconnection) {
        guard let link, !client.messages.isEmpty else { return }
        if failure != nil { link.end() }
        batchClock.handingOver(at: Clock.bootNanoseconds, settings.batch)
        defer {
            client.messages.removeAll(keepingCapacity: true)
            client.messageBytes = 0
            batchClock.handedOver(at: Clock.bootNanoseconds)
        }
        do {
            try handler.received(client.messages, on: link)
        } catch {
            throw failure
                ?? Disconnection(.handlerFailed, .notKept, ["peer": .text(client.peer), "error": "\(error)"])
        }
        if failure == nil { try obeyDrop(link) }
    }

    private func flush() {
        guard let client, client.stage == .connected, client.messages.isEmpty, client.wantsToWrite else { return }
        perform { () throws(Disconnection) in
            try client.write()
            try deliverAnswers(client)
        }
    }

    // MARK: The handler

    private func consultHandler(_ now: Int64) -> (isDone: Bool, timer: Int64?) {
        var timer: Int64?
        var isDone = false
        if let stopBy {
            isDone = handler.stopping(link, now: now) || now >= stopBy
            timer = min(stopBy, now + 50_000_000)
        } else {
            timer = handler.turn(link, now: now)
        }
        if let link { perform { () throws(Disconnection) in try obeyDrop(link) } }
        return (isDone, timer)
    }

    private func obeyDrop(_ link: Link) throws(Disconnection) {
        if let reason = link.dropReason { throw Disconnection(.dropped, reason) }
    }

    // MARK: Ends

    private func perform(_ body: () throws(Disconnection) -> Void) {
        do throws(Disconnection) { try body() } catch { lose(error) }
    }

    /// Ends the attempt or connection and asks the handler when to try again.
    private func lose(_ cause: Disconnection) {
        let wasConnected = link != nil
        let isSilence = cause.kind == .lost || cause.kind == .timeout
        let wasAtConnect = client?.stage == .mqtt && client?.acceptance == nil && isSilence
        let now = Clock.bootNanoseconds
        if let client, wasConnected {
            let isUnanswered = client.version == .v311 && client.unconfirmed > 0 && !client.hasConfirmed
            choices.ended(
                isSuspicious: isUnanswered && cause.kind == .lost,
                brief: now - connectedSince < 2 * nanosecondsPerSecond,
                now: now)
        }
        end()
        if choices.failed(cause, wasConnected: wasConnected, atConnect: wasAtConnect, now: now) { return }
        let delay = handler.disconnected(cause, after: wasConnected ? max(now - connectedSince, 1) : 0)
        nextAttempt = now.addingReportingOverflow(max(delay, 0)).partialValue
        connection.report(.waiting(until: nextAttempt, lastError: cause))
    }

    /// Closes the socket without writing: neither a DISCONNECT nor any acknowledgement leaves.
    private func end() {
        link?.end()
        link = nil
        client = nil
    }

    // MARK: Sleeping

    private func nextDeadline(_ timer: Int64?, _ now: Int64) -> Int64 {
        napEnd = 0
        if client?.hasHiddenData == true { return now }
        var deadline = min(timer ?? .max, now + Self.longestSleep)
        if let stopBy { deadline = min(deadline, stopBy) }
        if let client {
            if client.stage != .connected { deadline = min(deadline, attemptClock.end) }
            if !client.messages.isEmpty { deadline = min(deadline, batchDue) }
            deadline = nap(until: deadline, now)
        } else if stopBy == nil {
            deadline = min(deadline, nextAttempt)
        }
        return deadline
    }

    /// - Returns: the nap's end when it comes before `deadline`; after a nap everything is read.
    private func nap(until deadline: Int64, _ now: Int64) -> Int64 {
        guard let client, let link, stopBy == nil else { return deadline }
        let isWaiting = !client.messages.isEmpty
        let end = isWaiting ? batchClock.napEnd(settings.batch, keepAlive: settings.keepAlive) : link.restsUntil
        guard end > now else { return deadline }
        napEnd = end
        return min(deadline, end)
    }
}
