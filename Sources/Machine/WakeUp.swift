import CLinux
import Glibc

/// A counter in the kernel that makes a poll return: signalled from any thread, waited for by one or more.
package final class WakeUp: Sendable {
    /// Readable after a signal; -1 when the process has run out of descriptors, and then nothing wakes anybody early.
    package let descriptor: Int32

    package init() {
        descriptor = linux_eventfd()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    package func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    package func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Waits until signalled, without clearing.
    ///
    /// - Returns: false when `deadline` (boot time) passed first.
    package func wait(until deadline: Int64) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&request, 1, pollTimeout(until: deadline, now: Clock.bootNanoseconds))
            if ready > 0 { return true }
            if Clock.bootNanoseconds >= deadline { return false }
        }
    }
}

/// A timeout for poll(2), in milliseconds, that never ends before `deadline` (boot time); at most a minute.
package func pollTimeout(until deadline: Int64, now: Int64) -> Int32 {
    guard deadline > now else { return 0 }
    return Int32(min((deadline - now + 999_999) / 1_000_000, 60_000))
}
