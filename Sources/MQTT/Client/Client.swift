import CMosquitto
import CMosquittoGuard
import Glibc
import Machine

/// One libmosquitto instance: one attempt to connect and, if it succeeds, one connection.
///
/// Every attempt takes a new instance. That is what makes dropping safe: the library keeps unacknowledged
/// publications over a reconnect and would send them a second time, and it holds a queue of PUBACKs that must not
/// leave after a failed commit. Destroying the instance writes nothing of either. It also reads certificates anew.
///
/// Confined to its connection's thread. The callbacks fill the `var`s below while `read()` or `write()` runs, and
/// never call out.
final class Client {
    /// How far the connection has come; name resolution is over when an instance exists.
    enum Stage {
        case tcp, tls, mqtt, connected
    }

    let settings: ConnectionSettings
    let version: ProtocolVersion
    /// The last will as it is given to the broker; `nil`: none, or none any more.
    let will: Publication?
    let pointer: OpaquePointer

    private(set) var stage = Stage.tcp
    /// The answer to CONNECT, once there is one.
    var acceptance: Acceptance?
    /// Messages read and not yet handed over.
    var messages: [Message] = []
    var messageBytes = 0
    var confirmations: [(packetID: Int32, reason: ReasonCode)] = []
    var grants: [(packetID: Int32, reasons: [ReasonCode])] = []
    /// Answers to unsubscribe calls.
    var releases: [Int32] = []
    /// A message was not taken, for want of memory: the connection must end without its PUBACK.
    var hasLostProperties = false
    /// Accepted a second time, which no broker may do (MQTT v5 3.2).
    var isAcceptedTwice = false
    /// Callbacks so far: whether a call to the library did anything.
    var eventCount = 0
    /// The broker's DISCONNECT, if it sent one.
    var disconnectReason: ReasonCode?
    /// What the library logged until the CONNACK; it knows more about TLS than its return codes say.
    var log: [String] = []
    /// Publications of QoS 1 without PUBACK, and of QoS 0 not yet written.
    var unconfirmed = 0
    var hasConfirmed = false
    var unwritten = 0
    /// Inside `write()`, where on_publish means "written" and not "PUBACK".
    private(set) var isWriting = false
    /// Packets in the library's queue, about.
    var queued = 0

    /// The contents of the CONNACK.
    struct Acceptance {
        var reason: ReasonCode
        var reasonText: String?
        var sessionPresent: Bool
        var receiveMaximum: UInt16?
        var maximumPacketSize: UInt32?
        var sessionExpiry: UInt32?
        var maximumQoS: UInt8?
        var retainAvailable: UInt8?
        /// 0: subscriptions must not have an identifier (3.2.2.3.12).
        var takesIdentifiers: UInt8?
    }

    init(
        _ settings: ConnectionSettings, version: ProtocolVersion, will: Publication? = nil
    ) throws(Disconnection) {
        guard Self.libraryIsReady, let pointer = mosquitto_new(settings.clientID, settings.cleanStart, nil) else {
            throw Disconnection(.configuration, .badClientID, ["client": .text(settings.clientID)])
        }
        self.settings = settings
        self.version = version
        self.will = will
        self.pointer = pointer
        // Without this the library writes each PUBACK before it calls on_message (handle_publish.c, packet_mosq.c).
        mosquitto_threaded_set(pointer, true)
        // Unretained is right: callbacks come only from within calls on `self`, and deinit destroys the instance.
        mosquitto_user_data_set(pointer, Unmanaged.passUnretained(self).toOpaque())
        installCallbacks(on: pointer)
        try configure()
    }

    deinit {
        mosquitto_log_callback_set(pointer, nil)
        mosquitto_destroy(pointer)
    }

    /// mosquitto_lib_init is not thread-safe; a static initialiser runs once.
    private static let libraryIsReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return mosquitto_lib_init() == 0
    }()

    /// The broker as people name it.
    var peer: String { "\(settings.host):\(settings.port)" }

    var descriptor: Int32 { mosquitto_socket(pointer) }

    /// The library has something to write that the socket has not taken yet.
    var wantsToWrite: Bool { mosquitto_want_write(pointer) }

    /// What to poll for.
    var pollEvents: Int16 {
        switch stage {
        case .tcp: return Int16(POLLOUT)
        case .tls:
            // mosquitto_want_write stays true from the first attempt to write on: polling by it would spin.
            guard let session = mosquitto_ssl_get(pointer), OpenSSL.loaded?.wantsToWrite(session) == true else {
                return Int16(POLLIN)
            }
            return Int16(POLLIN | POLLOUT)
        case .mqtt, .connected:
            return Int16(messages.isEmpty && wantsToWrite ? POLLIN | POLLOUT : POLLIN)
        }
    }

    var isBatchFull: Bool {
        messages.count >= settings.batch.messages || messageBytes >= settings.batch.bytes
    }

    /// Data that was taken from the socket and that no poll will announce.
    var hasHiddenData: Bool {
        guard stage != .tls, let session = mosquitto_ssl_get(pointer) else { return false }
        return (OpenSSL.loaded?.pendingBytes(session) ?? 0) > 0
    }

    // MARK: Connecting

    /// Resolves the name (this may block) and starts a TCP connection.
    ///
    /// - Parameter only: try the addresses of this family alone.
    func connect(only family: AddressFamily?) throws(Disconnection) {
        // libmosquitto has no asynchronous connect with v5 properties. This call fails at once without any I/O, since
        // port 0 with an empty name is no address, but it stores the properties, and connect_async sends them
        // (connect.c: mosquitto_connect_bind_v5, mosquitto__reconnect; net_mosq.c: net__try_connect).
        var properties = PropertyList()
        if version == .v5 {
            do {
                try properties.add(MQTT_PROP_SESSION_EXPIRY_INTERVAL, int32: settings.sessionExpiry)
                if let limit = settings.maximumPacketSize {
                    try properties.add(MQTT_PROP_MAXIMUM_PACKET_SIZE, int32: limit)
                }
            } catch {
                throw Disconnection(.configuration, error.message)
            }
            _ = mosquitto_connect_bind_v5(pointer, "", 0, Int32(settings.keepAlive), nil, properties.head)
        }
        if let family { mosquitto_string_option(pointer, MOSQ_OPT_BIND_ADDRESS, family.anyAddress) }
        let code = mosquitto_connect_async(pointer, settings.host, Int32(settings.port), Int32(settings.keepAlive))
        let error = errno
        guard code == 0 else { throw connectFailure(code, error) }
    }

    /// The address family that TCP is using, to be asked while the socket is open.
    var addressFamily: AddressFamily? {
        var domain: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 else { return nil }
        return domain == AF_INET6 ? .ipv6 : .ipv4
    }

    /// Goes on with connecting as far as the socket allows; done when `acceptance` is there.
    func establish(_ events: Int16) throws(Disconnection) {
        switch stage {
        case .tcp:
            guard events != 0 else { return }
            let error = socketError()
            if error == ECONNRESET, settings.tls != nil {
                // TCP was there at once and the library has greeted already: the peer does not like TLS.
                stage = .tls
                throw lostWhileConnecting(.text(systemErrorText(error)))
            }
            guard error == 0 else { throw unreachable(error) }
            stage = settings.tls == nil ? .mqtt : .tls
            if stage == .tls { try handshake() } else { try write() }
        case .tls:
            if events != 0 { try handshake() }
        case .mqtt, .connected:
            if wantsToWrite { try write() }
            while acceptance == nil, events & Int16(POLLIN | POLLHUP | POLLERR) != 0 || hasHiddenData {
                let before = eventCount
                try readOnce()
                if eventCount == before && !hasHiddenData { return }
            }
        }
        guard let acceptance, acceptance.reason == .success else { return }
        stage = .connected
        // Formatting a line for each packet would cost more than reading it.
        mosquitto_log_callback_set(pointer, nil)
        log = []
    }

    private func handshake() throws(Disconnection) {
        let code = hearth_loop_read(pointer)
        let error = errno
        guard code == 0, let session = mosquitto_ssl_get(pointer) else { throw failure(code, error) }
        if OpenSSL.loaded?.isHandshakeFinished(session) == true {
            stage = .mqtt
            // With TLS 1.3 the broker may have refused our certificate by now. Writing to the closed socket would
            // fail without a reason; the reason is in what can be read.
            try readOnce()
            return try write()
        }
        // The library takes a peer that hangs up during the handshake for "try again" (net__socket_connect_tls).
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count == 0 { throw lostWhileConnecting(.sentence(.closedIt)) }
        if count < 0, errno != EAGAIN { throw lostWhileConnecting(.text(systemErrorText(errno))) }
    }

    private func socketError() -> Int32 {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else { return errno }
        return error
    }

    // MARK: Reading and writing

    /// Reads what is readable, up to the batch limits.
    func read() throws(Disconnection) {
        // Confirmations do not count for the batch; the second limit keeps a flood of them from holding the thread.
        var calls = 0
        while !isBatchFull, calls < 8192 {
            let before = eventCount
            try readOnce()
            if eventCount == before && !hasHiddenData { return }
            calls += 1
        }
    }

    private func readOnce() throws(Disconnection) {
        let code = hearth_loop_read(pointer)
        let error = errno
        guard code == 0, mosquitto_socket(pointer) >= 0 else { throw failure(code, error) }
        if hasLostProperties { throw outOfMemory() }
        if isAcceptedTwice { throw brokenRules("it accepted the connection twice") }
    }

    /// Writes everything that is queued, acknowledgements of received messages included.
    func write() throws(Disconnection) {
        // The library makes one write per packet. Corked, many PUBACKs become few TCP segments and wake the broker
        // once; taking the cork off sends the rest at once (tcp(7)).
        let isCorked = queued > 1
        if isCorked { setCork(1) }
        isWriting = true
        let code = mosquitto_loop_write(pointer, 1)
        let error = errno
        isWriting = false
        let isOpen = mosquitto_socket(pointer) >= 0
        if isCorked, isOpen { setCork(0) }
        guard code == 0, isOpen else { throw failure(code, error) }
        if !wantsToWrite { queued = 0 }
    }

    private func setCork(_ value: Int32) {
        var value = value
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Pings when due, and notices that a ping was not answered.
    func keepAlive() throws(Disconnection) {
        let code = hearth_loop_misc(pointer)
        let error = errno
        guard code == 0, mosquitto_socket(pointer) >= 0 else { throw failure(code, error) }
    }

    /// Queues a DISCONNECT behind everything else and writes, not longer than until `deadline`. Does nothing while
    /// a batch is waiting, whose acknowledgements would leave with it.
    func disconnect(by deadline: Int64) {
        guard stage == .connected, messages.isEmpty, mosquitto_disconnect_v5(pointer, 0, nil) == 0 else { return }
        // The library closes the socket once the DISCONNECT is written.
        while descriptor >= 0, (try? write()) != nil, descriptor >= 0, Clock.bootNanoseconds < deadline {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&request, 1, pollTimeout(until: deadline, now: Clock.bootNanoseconds))
        }
    }

    /// What the TLS session says about the certificate it was shown.
    var certificateError: String? {
        mosquitto_ssl_get(pointer).flatMap { OpenSSL.loaded?.verificationError($0) }
    }
}
