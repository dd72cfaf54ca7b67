import Glibc
import Machine
import Synchronization
import Testing

@Suite struct ThreadTests {
    @Test func aThreadHasItsNameAndTakesNoSignalsButItsOwn() throws {
        let seen = Monitor<(name: String, blocked: [Int32])?>(nil)
        try startThread(named: "a-name-longer-than-the-kernel-keeps") {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let asked = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGILL, SIGFPE, SIGBUS, SIGSEGV, SIGPROF]
            let blocked = asked.filter { sigismember(&mask, $0) == 1 }
            seen.change { $0 = (ownName(), blocked) }
        }
        #expect(seen.wait(until: Clock.deadline(after: 10_000_000_000)) { $0 != nil })
        #expect(seen.current?.name == "a-name-longer-t")
        #expect(seen.current?.blocked == [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE])
    }

    @Test func aWaitEndsAtItsDeadlineAndSaysThatTheConditionDoesNotHold() {
        let monitor = Monitor(0)
        let start = Clock.monotonicNanoseconds
        #expect(!monitor.wait(until: start + 20_000_000) { $0 == 1 })
        #expect(Clock.monotonicNanoseconds - start >= 20_000_000)
    }

    @Test func aDeadlineThatIsAbsurdlyFarIsNever() {
        #expect(Clock.deadline(after: .max) == .max)
        #expect(Clock.deadline(after: -5) <= Clock.monotonicNanoseconds)
    }

    @Test func aSignalWakesAWaitOnceUntilCleared() {
        let wakeUp = WakeUp()
        #expect(!wakeUp.wait(until: Clock.bootNanoseconds + 1_000_000))
        wakeUp.signal()
        wakeUp.signal()
        #expect(wakeUp.wait(until: Clock.bootNanoseconds + 10_000_000_000))
        wakeUp.clear()
        #expect(!wakeUp.wait(until: Clock.bootNanoseconds + 1_000_000))
    }
}

/// The calling thread's name, as the system shows it (proc(5)).
private func ownName() -> String {
    let descriptor = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self)
}
