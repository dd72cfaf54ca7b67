import Glibc
import HomePage
import Machine
import NIOCore
import NIOSSL
import Synchronization

/// The certificate the page is served with, and the key to it. Renewed files are taken without a restart.
///
/// May be used from any thread.
final class PageCertificate: Sendable {
    private struct State {
        var context: NIOSSLContext
        var ends: Int
        /// The files as they were when they were read, or when they could not be: each is tried once.
        var marks: [FileMark?]
    }

    /// Of a file that was replaced or written to at least one of these is another.
    private struct FileMark: Equatable {
        var device: UInt
        var number: UInt
        var size: Int
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            device = UInt(found.st_dev)
            number = UInt(found.st_ino)
            size = Int(found.st_size)
            seconds = found.st_mtim.tv_sec
            nanoseconds = found.st_mtim.tv_nsec
        }
    }

    let certificateFile: String
    let keyFile: String
    private let state: Mutex<State>

    /// - Parameters:
    ///   - certificateFile: PEM; the server's certificate first, then those between it and the authority.
    ///   - keyFile: PEM, without a passphrase.
    /// - Throws: ``SettingsError`` naming the file and what to do when one cannot be read or they do not belong together.
    init(certificateFile: String, keyFile: String) throws(SettingsError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        let marks = [FileMark(certificateFile), FileMark(keyFile)]
        let (context, ends) = try Self.read(certificateFile, keyFile)
        state = Mutex(State(context: context, ends: ends, marks: marks))
    }

    /// As the two options say; nil without them.
    ///
    /// - Throws: as the other, and when only one is there.
    convenience init?(asGiven certificate: String?, _ key: String?) throws(SettingsError) {
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): try self.init(certificateFile: certificate, keyFile: key)
        case (.some, nil): throw SettingsError(description: "--tls-certificate needs the key to it: --tls-key FILE")
        case (nil, .some): throw SettingsError(description: "--tls-key needs its certificate: --tls-certificate FILE")
        }
    }

    /// Whole days until the certificate ends; negative when it has.
    ///
    /// - Parameter now: nanoseconds since 1970.
    func days(at now: Int64) -> Int {
        let seconds = state.withLock { $0.ends } - Int(now / 1_000_000_000)
        return Int((Double(seconds) / 86_400).rounded(.down))
    }

    /// What the log says of a certificate with so many days left; nil from 14 on.
    static func words(daysLeft days: Int, file: String) -> String? {
        switch days {
        case ..<0: "\(file) has expired; browsers refuse the page until it is renewed"
        case 0: "\(file) expires today; renew it"
        case 1..<14: "\(file) expires in \(days) \(days == 1 ? "day" : "days"); renew it"
        default: nil
        }
    }

    /// Reads the files again if they have changed since.
    ///
    /// - Returns: whether they had. What was read before goes on being used when this throws.
    /// - Throws: as `init`, once for each change.
    func renew() throws(SettingsError) -> Bool {
        let marks = [FileMark(certificateFile), FileMark(keyFile)]
        guard state.withLock({ $0.marks }) != marks else { return false }
        state.withLock { $0.marks = marks }
        let (context, ends) = try Self.read(certificateFile, keyFile)
        state.withLock { state in
            state.context = context
            state.ends = ends
        }
        return true
    }

    /// Puts TLS into a new connection's pipeline. On the connection's own thread.
    func secure(_ channel: any Channel) throws {
        let context = state.withLock { $0.context }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(PlainRequestAnswer())
        try pipeline.addHandler(NIOSSLServerHandler(context: context))
    }

    private static func read(_ certificate: String, _ key: String) throws(SettingsError) -> (NIOSSLContext, ends: Int) {
        try readable(certificate, "--tls-certificate")
        try readable(key, "--tls-key")
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate) } catch { chain = [] }
        guard let first = chain.first else {
            throw SettingsError(
                description: "--tls-certificate \(certificate): no certificate in PEM form is in it (BEGIN CERTIFICATE)"
            )
        }
        guard let opened = try? NIOSSLPrivateKey(file: key, format: .pem) else {
            throw SettingsError(
                description: "--tls-key \(key): no private key in PEM form is in it, or it asks for a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(opened))
        configuration.minimumTLSVersion = .tlsv12
        // A client that leaves without a word of farewell is gone after this long.
        configuration.shutdownTimeout = .seconds(1)
        do {
            return (try NIOSSLContext(configuration: configuration), Int(first.notValidAfter))
        } catch {
            throw SettingsError(
                description: "--tls-key \(key): it is not the key of the first certificate in \(certificate)")
        }
    }

    private static func readable(_ file: String, _ option: String) throws(SettingsError) {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SettingsError(description: "\(option) \(file): \(systemErrorText(errno))") }
        close(descriptor)
    }
}

/// Tells who asks without TLS what to write instead; nobody types `https://` by himself.
///
/// The first byte of TLS is that of a handshake record, 22 (RFC 8446 section 5.1); no HTTP method begins with it.
private final class PlainRequestAnswer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let answer = """
        HTTP/1.1 400 Bad Request\r
        content-type: text/plain; charset=utf-8\r
        connection: close\r
        \r
        This page is served with HTTPS: write https:// before its address.

        """

    private var isAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        guard unwrapInboundIn(data).readableBytesView.first != 22 else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        isAnswered = true
        // From here it goes straight to the socket: TLS lies behind this handler.
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: Self.answer)), promise: nil)
        context.close(promise: nil)
    }
}
