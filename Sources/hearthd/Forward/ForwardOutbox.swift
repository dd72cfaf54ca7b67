import Glibc
import Heating
import Synchronization

/// The child's only way to its parent: lanes and the reporter write here, ``ForwardProcess`` reads.
///
/// May be used from any thread. A write waits while the parent does not read, which it does on a thread of its own; when
/// the parent is gone it does nothing, since the process is about to end.
final class ForwardOutbox: Sendable {
    private let descriptor: Int32
    private let writing = Mutex(())

    init(descriptor: Int32) { self.descriptor = descriptor }

    func send(_ event: ForwardEvent) {
        let message = MessageBuffer.encode(event.json)
        writing.withLock { _ in
            var rest = message[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
