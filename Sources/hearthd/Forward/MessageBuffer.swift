import Glibc
import Heating

/// Bytes from a socket, cut into messages at each NUL.
struct MessageBuffer {
    /// The longest answer is a page of history of some hundred rooms.
    static let limit = 8 << 20

    private var bytes: [UInt8] = []
    /// Up to here there is no NUL.
    private var searched = 0

    enum Failure: Error {
        /// The other side is gone.
        case ended
        /// A message beyond ``limit``, or one that is not JSON.
        case unreadable
    }

    /// Reads what is there: once, waiting for it if `descriptor` blocks.
    mutating func fill(from descriptor: Int32) throws(Failure) {
        var chunk = [UInt8](repeating: 0, count: 16384)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 {
            bytes += chunk[..<count]
            guard bytes.count <= Self.limit else { throw .unreadable }
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            throw .ended
        }
    }

    /// The next whole message; nil when there is none yet.
    mutating func next() throws(Failure) -> JSON? {
        guard let end = bytes[searched...].firstIndex(of: 0) else {
            searched = bytes.count
            return nil
        }
        let message = bytes[..<end]
        defer {
            bytes.removeSubrange(...end)
            searched = 0
        }
        do { return try JSON.parse(message) } catch { throw .unreadable }
    }

    static func encode(_ message: JSON) -> [UInt8] { message.bytes + [0] }
}
