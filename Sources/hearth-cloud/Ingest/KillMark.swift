import Glibc
import Heating
import MQTT

/// Remembers across a kill which message was being decoded, so that one that ends the process does so twice and not for
/// ever: the broker brings it again after each restart.
///
/// The first kill makes the next process careful: it names each message in the file before decoding it. The second kill
/// names the culprit, and the third process passes it. Written without fsync, since a kill of the process, unlike one of
/// the machine, leaves the page cache. Without a file nothing is remembered.
struct KillMark {
    /// A message by the beginning of its digest, and its size, so that others need no digest.
    struct Name: Equatable {
        var digest: UInt64
        var size: UInt64

        init(_ message: Message) {
            digest = SHA256.digest(Array(message.topic.utf8) + [0] + message.payload).prefix(8)
                .reduce(0) { $0 << 8 | UInt64($1) }
            size = Self.size(message)
        }

        fileprivate init(digest: UInt64, size: UInt64) { (self.digest, self.size) = (digest, size) }

        static func size(_ message: Message) -> UInt64 { UInt64(message.topic.utf8.count + message.payload.count) }
    }

    /// How many messages a process is careful for after a kill: more than the broker has in flight to it.
    private static let carefulMessages = 4096
    private static let culpritLimit = 64
    /// State, digest, size, unused; then digest and size of each culprit.
    private static let words = 4 + 2 * culpritLimit
    private enum State: UInt64 { case idle = 0, batch, message }

    private let descriptor: Int32
    private(set) var culprits: [Name] = []
    private var careful = 0

    /// - Parameter path: nil: nothing is remembered.
    init(path: String?) {
        descriptor = path.map { open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) } ?? -1
        guard descriptor >= 0 else { return }
        readBack()
        write([State.idle.rawValue, 0, 0, 0] + culprits.flatMap { [$0.digest, $0.size] }, at: 0)
    }

    func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Whether there is a file at all.
    var isKept: Bool { descriptor >= 0 }
    var isCareful: Bool { careful > 0 }

    func isCulprit(_ message: Message) -> Bool {
        let size = Name.size(message)
        return culprits.contains { $0.size == size } && culprits.contains(Name(message))
    }

    /// Before a batch, and after it.
    func begin() { if !isCareful { write([State.batch.rawValue], at: 0) } }
    func end() { write([State.idle.rawValue], at: 0) }

    /// Around the decoding of one message, while careful.
    mutating func watch<Result>(_ message: Message, _ body: () -> Result) -> Result {
        guard careful > 0, isKept else { return body() }
        careful -= 1
        let name = Name(message)
        write([State.message.rawValue, name.digest, name.size], at: 0)
        defer { write([State.idle.rawValue], at: 0) }
        return body()
    }

    private mutating func readBack() {
        var bytes = [UInt64](repeating: 0, count: Self.words)
        let count = pread(descriptor, &bytes, Self.words * 8, 0) / 8
        for index in stride(from: 4, to: max(4, count - 1), by: 2) where bytes[index + 1] != 0 {
            culprits.append(Name(digest: bytes[index], size: bytes[index + 1]))
        }
        switch count >= 4 ? State(rawValue: bytes[0]) : nil {
        case .batch?: careful = Self.carefulMessages
        case .message?:
            // The batch's kill was the first, this one the second.
            careful = Self.carefulMessages
            culprits = culprits.suffix(Self.culpritLimit - 1) + [Name(digest: bytes[1], size: bytes[2])]
        case .idle?, nil: break
        }
    }

    private func write(_ words: [UInt64], at offset: Int) {
        guard descriptor >= 0 else { return }
        // What cannot be written is a mark less; the messages go on.
        _ = words.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset * 8)) }
    }
}
