import Glibc

/// A pipe that makes a poll return: signalled from any thread, waited for by one.
final class WakePipe: Sendable {
    /// Readable after a signal; -1 when the process has run out of descriptors, and then nothing wakes anybody early.
    let descriptor: Int32
    private let end: Int32

    init() {
        var pair: [Int32] = [-1, -1]
        if pipe(&pair) == 0 {
            for end in pair {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
        }
        (descriptor, end) = (pair[0], pair[1])
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if end >= 0 { close(end) }
    }

    func signal() {
        var byte: UInt8 = 1
        // A full pipe wakes as well.
        _ = write(end, &byte, 1)
    }

    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
