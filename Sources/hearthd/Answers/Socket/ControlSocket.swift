import Glibc
import Heating
import Logging
import Machine
import Synchronization

/// The daemon's control socket: Varlink over a unix stream socket, one thread, one poll loop.
///
/// Peers are local people and tools, still nothing they do may cost the daemon more than a few kilobytes: clients,
/// request size and unread replies are bounded, and a slow reader is cut off rather than waited for.
final class ControlSocket: Sendable {
    static let clientLimit = 32
    static let requestLimit = 64 << 10
    /// A reader that lets this much pile up is gone or hostile.
    static let replyLimit = 4 << 20
    private static let watchNanoseconds: Int64 = 1_000_000_000

    private let path: String
    private let service: VarlinkService
    private let logger: Logger
    private let wake = WakeUp()
    /// The socket that we put under the name; nil before.
    private let ours = Mutex<FileIdentity?>(nil)
    private let isStopping = Atomic(false)
    private let lastProblem = Mutex("")

    init(path: String, gateway: Gateway, logger: Logger) {
        self.path = path
        self.logger = logger
        service = VarlinkService(gateway: gateway)
    }

    /// Starts serving; without a path there is no socket. Never blocks.
    func start() {
        guard !path.isEmpty else { return }
        startThread("control-socket") { [self] in serve() }
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        // Somebody else may have put another there meanwhile.
        if let ours = ours.withLock({ $0 }), ours == FileIdentity(path) { unlink(path) }
        wake.signal()
    }

    /// The recording side has said something: somebody may be waiting for it.
    func news() { wake.signal() }

    // MARK: The loop

    private func serve() {
        var listener = listen()
        var clients: [Client] = []
        while !isStopping.load(ordering: .relaxed) {
            if listener < 0 {
                Clock.sleep(1_000_000_000)
                listener = listen()
                continue
            }
            var descriptors = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            descriptors += clients.map { pollfd(fd: $0.descriptor, events: $0.pollEvents, revents: 0) }
            poll(&descriptors, nfds_t(descriptors.count), clients.isEmpty ? -1 : 250)
            if descriptors[1].revents != 0 { wake.clear() }
            let now = Clock.bootNanoseconds
            for (client, polled) in zip(clients, descriptors.dropFirst(2)) {
                client.step(polled.revents, service: service, now: now, watchEvery: Self.watchNanoseconds)
            }
            for client in clients where client.isFinished { client.abandon(service) }
            clients.removeAll(where: \.isFinished)
            if descriptors[0].revents != 0 { accept(from: listener, into: &clients) }
        }
        if listener >= 0 { close(listener) }
    }

    private func accept(from listener: Int32, into clients: inout [Client]) {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else {
            // Without descriptors it stays in line, and poll would say so again at once.
            if errno == EMFILE || errno == ENFILE { Clock.sleep(250_000_000) }
            return
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        if clients.count < Self.clientLimit {
            clients.append(Client(descriptor: descriptor))
        } else {
            close(descriptor)
        }
    }

    private func listen() -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            complain("the path is too long for a socket")
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        if let obstacle = obstacle(&address) {
            complain(obstacle)
            close(descriptor)
            return -1
        }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // The group may steer heating; others may not.
        guard bound == 0, chmod(path, 0o660) == 0, Glibc.listen(descriptor, 16) == 0 else {
            complain("\(systemErrorText(errno)). Check that the directory exists and is writable")
            close(descriptor)
            return -1
        }
        ours.withLock { $0 = FileIdentity(path) }
        return descriptor
    }

    /// Why the name is not ours to take; nil when it is free. A socket that nobody listens on, as a killed daemon leaves
    /// it, is taken away.
    private func obstacle(_ address: inout sockaddr_un) -> String? {
        guard let found = FileIdentity(path) else { return nil }
        guard found.isSocket else {
            return "a file that is no socket has this name: move it away, or set control.socket"
        }
        let answer = knock(&address)
        guard answer == ECONNREFUSED else {
            return answer == 0 || answer == EAGAIN
                ? "another process listens there: look for a second hearthd (pgrep -a hearthd), or set control.socket"
                : "\(systemErrorText(answer)): the socket that is there may be somebody else's"
        }
        unlink(path)
        return nil
    }

    /// What connecting to the name says: 0, or an errno.
    private func knock(_ address: inout sockaddr_un) -> Int32 {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // EAGAIN: it is there and its queue is full, unix(7).
        return code == 0 ? 0 : errno
    }

    /// Once for each problem: it is tried again every second.
    private func complain(_ problem: String) {
        let isNew = lastProblem.withLock { last in
            defer { last = problem }
            return last != problem
        }
        guard isNew else { return }
        logger.error("no control socket; heating goes on", metadata: ["path": "\(path)", "error": "\(problem)"])
    }
}

/// Which file has a name, by its number on its file system.
private struct FileIdentity: Equatable, Sendable {
    private let device: dev_t
    private let inode: ino_t
    let isSocket: Bool

    /// nil when nothing has the name. Links are not followed.
    init?(_ path: String) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return nil }
        (device, inode) = (information.st_dev, information.st_ino)
        isSocket = information.st_mode & S_IFMT == S_IFSOCK
    }
}

/// One connected peer. Confined to the socket's thread.
private final class Client {
    let descriptor: Int32
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private(set) var isFinished = false
    /// A call with `more` that is answered again and again.
    private var watched: VarlinkCall?
    private var nextReply: Int64 = 0
    /// What has not been answered yet; later calls wait behind it.
    private var asked: (question: VarlinkQuestion, call: VarlinkCall)?

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    var pollEvents: Int16 { Int16(output.isEmpty ? POLLIN : POLLIN | POLLOUT) }

    func step(_ events: Int16, service: VarlinkService, now: Int64, watchEvery: Int64) {
        if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 { read() }
        if let asked, let answer = service.answer(to: asked.call, asked.question) {
            if !asked.call.oneway { reply(answer) }
            self.asked = nil
        }
        while asked == nil, let end = input.firstIndex(of: 0) {
            let request = Array(input[..<end])
            input.removeFirst(end + 1)
            answer(request, service)
        }
        if input.count > ControlSocket.requestLimit { isFinished = true }
        if let watched, now >= nextReply, output.isEmpty {
            nextReply = now + watchEvery
            reply(service.reply(to: watched))
        }
        write()
    }

    private func answer(_ request: [UInt8], _ service: VarlinkService) {
        guard let call = VarlinkCall(request) else { return reply(VarlinkReply.invalidCall) }
        if call.more, service.isRepeatable(call) {
            watched = call
        } else {
            switch service.outcome(of: call) {
            case .reply(let answer): if !call.oneway { reply(answer) }
            case .asked(let question): asked = (question, call)
            }
        }
    }

    /// Nobody is there any more to hear an answer.
    func abandon(_ service: VarlinkService) {
        if let asked { service.forget(asked.question) }
    }

    private func reply(_ reply: VarlinkReply) {
        output += reply.bytes
        if output.count > ControlSocket.replyLimit { isFinished = true }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 8192)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 {
            input += chunk[..<count]
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            isFinished = true
        }
    }

    private func write() {
        guard !output.isEmpty, !isFinished else { return }
        let count = send(descriptor, output, output.count, Int32(MSG_NOSIGNAL))
        if count > 0 {
            output.removeFirst(count)
        } else if errno != EAGAIN, errno != EINTR {
            isFinished = true
        }
    }
}
