import Glibc

/// Owns one file descriptor: closed when the last reference goes.
package final class Descriptor: Sendable {
    package let number: Int32

    /// Takes over `number`; nil when it is negative, as after a failed system call.
    package init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    /// Both ends of a new pipe, closed in children.
    package static func pipe(isBlocking: Bool) throws(SystemError) -> (read: Descriptor, write: Descriptor) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0, let read = Descriptor(ends[0]), let write = Descriptor(ends[1]) else {
            throw SystemError(code: errno)
        }
        for end in ends {
            guard fcntl(end, F_SETFD, FD_CLOEXEC) == 0, isBlocking || fcntl(end, F_SETFL, O_NONBLOCK) == 0 else {
                throw SystemError(code: errno)
            }
        }
        return (read, write)
    }

    deinit {
        close(number)
    }

    package enum Readiness {
        case ready, timedOut, interrupted
    }

    /// Blocks until `events` (`POLLIN`, `POLLOUT`) hold, or an error or end of file is there to be read; until
    /// `deadline`; or until `interrupt` has something to read, which wins over readiness.
    package func wait(
        for events: Int32, until deadline: ContinuousClock.Instant, interrupt: Descriptor? = nil
    ) -> Readiness {
        var polled = [pollfd(fd: number, events: Int16(events), revents: 0)]
        if let interrupt { polled.append(pollfd(fd: interrupt.number, events: Int16(POLLIN), revents: 0)) }
        while true {
            let remaining = ContinuousClock.now.duration(to: deadline)
            let count = poll(&polled, nfds_t(polled.count), Self.milliseconds(remaining))
            if count > 0 {
                return polled.count > 1 && polled[1].revents != 0 ? .interrupted : .ready
            }
            if count == 0, remaining <= .zero { return .timedOut }
        }
    }

    /// `duration` for poll(2), rounded up so that a wait never spins through its last millisecond; a negative one is 0.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        guard duration > .zero else { return 0 }
        let (seconds, attoseconds) = duration.components
        return Int32(min(seconds, 3_600) * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
