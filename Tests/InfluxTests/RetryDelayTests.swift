import CCurl
import SimulationModel
import Testing

@testable import Influx

@Suite struct RetryDelayTests {
    @Test func limitsDoubleUpToTheCapAndEveryWaitIsRandomBelowThem() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for (failure, limit) in [100, 200, 400, 800, 1_000, 1_000, 1_000].enumerated() {
            let waits = (0..<400).map { _ in
                var delay = RetryDelay(base: 100, cap: 1_000)
                for _ in 0..<failure { _ = delay.next(using: &random) }
                return Int(delay.next(using: &random))
            }
            #expect(waits.allSatisfy { (0..<limit).contains($0) }, "seed \(seed)")
            // Full jitter: uniform from zero, so both ends and the middle are met.
            #expect(waits.contains { $0 < limit / 5 } && waits.contains { $0 > limit * 4 / 5 }, "seed \(seed)")
            let mean = waits.reduce(0, +) / waits.count
            #expect(abs(mean - limit / 2) < limit / 8, "seed \(seed)")
        }
    }

    @Test func neverOverflowsAndStartsAgainAfterASuccess() {
        var random = SeededGenerator(seed: 1)
        var delay = RetryDelay(base: .max, cap: .max)
        for _ in 0..<1_000 { #expect(delay.next(using: &random) >= 0) }
        delay = RetryDelay(base: 10, cap: 1 << 40)
        for _ in 0..<100 { _ = delay.next(using: &random) }
        delay.reset()
        #expect(delay.next(using: &random) < 10)
        delay = RetryDelay(base: 0, cap: 0)
        #expect(delay.next(using: &random) == 0)
    }

    @Test(arguments: [
        (CURLE_COULDNT_CONNECT, false), (CURLE_COULDNT_RESOLVE_HOST, false), (CURLE_OPERATION_TIMEDOUT, false),
        (CURLE_GOT_NOTHING, false), (CURLE_RECV_ERROR, false), (CURLE_SEND_ERROR, false), (CURLE_PARTIAL_FILE, false),
        (CURLE_SSL_CONNECT_ERROR, false), (CURLE_PEER_FAILED_VERIFICATION, true), (CURLE_SSL_CACERT_BADFILE, true),
    ])
    func aFailedTransferIsRetriedOrHeldButNeverTakenForAnAnswer(_ result: CURLcode, _ isHeld: Bool) {
        let disposition = Disposition(transport: result, message: "m")
        #expect(disposition == (isHeld ? .hold(reason: "m") : .retry(reason: "m", after: nil)))
    }
}
