import CMosquitto
import Glibc

let nanosecondsPerSecond: Int64 = 1_000_000_000

/// Nanoseconds since the machine started, including the time it slept (CLOCK_BOOTTIME).
public func bootTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * nanosecondsPerSecond + Int64(time.tv_nsec)
}

/// The system's text for an error number.
func errorText(_ number: Int32) -> String {
    String(cString: strerror(number))
}

/// A counter in the kernel that makes a poll return: signalled from any thread, waited for by one or more.
final class WakeUp: Sendable {
    /// -1 when the process has run out of descriptors.
    let descriptor: Int32

    init() {
        descriptor = hearth_eventfd()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }

    /// Waits until signalled, without clearing.
    ///
    /// - Returns: false when `deadline` (boot time) passed first.
    func wait(until deadline: Int64) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&request, 1, milliseconds(until: deadline, now: bootTime()))
            if ready > 0 { return true }
            if bootTime() >= deadline { return false }
        }
    }
}

/// A timeout for poll that never ends before `deadline`, at most a minute.
func milliseconds(until deadline: Int64, now: Int64) -> Int32 {
    guard deadline > now else { return 0 }
    return Int32(min((deadline - now + 999_999) / 1_000_000, 60_000))
}
