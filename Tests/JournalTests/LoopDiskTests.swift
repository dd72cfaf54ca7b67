import Foundation
import SimulationModel
import Synchronization
import Testing

@testable import Journal

/// Real file systems on loop devices: full ones, and ones that lose power.
@Suite(.serialized, .enabled(if: LoopDisk.isPossible, "needs root and loop devices"))
struct LoopDiskTests {
    @Test func theReserveKeepsCommittingOnAFullDiskAndComesBackWithTheSpace() throws {
        let disk = try LoopDisk(megabytes: 48)
        let settings = Journal.Settings(path: disk.path + "/j.sqlite", maxBytes: 512 << 20)
        let journal = try Journal(settings, now: start)
        #expect(journal.status.reserveBytes == 4 << 20)
        var count = 0
        while count < 1_000 { try journal.append(entries(count..<count + 500), now: start); count += 500 }
        try disk.fill()
        #expect(FileSystem.freeBytes(at: settings.path) == 0)

        let atFull = count
        var failure: JournalError?
        while failure == nil, count < 1_000_000 {
            do { try journal.append(entries(count..<count + 100), now: start); count += 100 } catch { failure = error }
        }
        print("rows committed with 0 bytes free: \(count - atFull)")
        #expect(count - atFull >= 20_000)
        #expect(failure?.code == .full && failure?.isTransient == true)
        #expect(failure?.message.contains("Free space") == true)
        #expect(journal.status.alarms.contains { $0.contains("full") })
        // The file system may still find a block or two; then the journal takes them.
        var refused = 0
        for _ in 0..<50 {
            do { try journal.append(entries(count..<count + 50), now: start); count += 50 } catch { refused += 1 }
        }
        #expect(refused > 25)
        var numbers = try journal.all(rows: 1000).compactMap(\.number)
        #expect(numbers.elementsEqual(0..<count), "\(numbers.count) of \(count)")

        disk.free()
        #expect(
            eventually(within: 20) {
                if (try? journal.append([entry(count)], now: start)) != nil { count += 1 }
                return journal.status.reserveBytes == 4 << 20
            })
        #expect(journal.status.alarms.isEmpty)
        #expect(journal.status.lastError == nil)
        numbers = try journal.all(rows: 1000).compactMap(\.number)
        #expect(numbers.elementsEqual(0..<count), "\(numbers.count) of \(count)")
        journal.close()
        #expect(try integrity(of: settings.path) == "ok")
    }

    @Test func onAFullDiskForwardedHistoryMakesRoom() throws {
        let disk = try LoopDisk(megabytes: 48)
        let journal = try Journal(.init(path: disk.path + "/j.sqlite", maxBytes: 512 << 20), now: start)
        var count = 0
        while count < 6_000 { try journal.append(entries(count..<count + 500), now: start); count += 500 }
        try journal.confirm([1...5_000], cursor: "up", now: start)
        try disk.fill()
        while count < 1_000_000, (try? journal.append(entries(count..<count + 500), now: start)) != nil { count += 500 }
        #expect(journal.status.firstKept > 4_000 && journal.status.firstKept <= 5_001)
        #expect(journal.status.dropped == 0)
        journal.close()
    }

    @Test func aJournalThatCannotBeMadeOnAFullDiskIsMadeLater() throws {
        let disk = try LoopDisk(megabytes: 16)
        try disk.fill()
        let settings = Journal.Settings(path: disk.path + "/j.sqlite")
        #expect(code { _ = try Journal(settings, now: start) } == .full)
        disk.free()
        let journal = try Journal(settings, now: start)
        #expect(try journal.append([entry(1)], now: start) == 1...1)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: disk.path).filter { $0.contains("damaged") }.isEmpty)
        journal.close()
    }

    /// `HEARTH_POWER_CUTS` sets how many.
    @Test func afterAPowerCutEveryAcknowledgedRowIsThere() throws {
        let rounds = ProcessInfo.processInfo.environment["HEARTH_POWER_CUTS"].flatMap { Int($0) } ?? 50
        let seed = SeededGenerator.seed("afterAPowerCutEveryAcknowledgedRowIsThere")
        var random = SeededGenerator(seed: seed)
        let disk = try LoopDisk(megabytes: 48)
        var settings = Journal.Settings(path: disk.path + "/j.sqlite", maxBytes: 16 << 20, history: .zero)
        settings.logBytes = 256 << 10  // many checkpoints and new beginnings of the log
        var floor: Int64 = 0
        for round in 0..<rounds {
            let acknowledged = Mutex<Int64>(0)
            let finished = DispatchSemaphore(value: 0)
            let journal = try Journal(settings, now: start)
            let rowsPerCommit = [1, 3, 40, 400].randomElement(using: &random) ?? 1
            Thread.detachNewThread { [epoch = journal.epoch] in
                while let range = try? journal.append(entries(0..<rowsPerCommit, at: 0), now: start) {
                    acknowledged.withLock { $0 = range.upperBound }
                    // Half of it is forwarded and deleted on the way.
                    try? journal.confirm([1...max(1, range.upperBound - 2_000)], cursor: "up", now: start)
                    if journal.epoch != epoch { break }
                }
                finished.signal()
            }
            let target = Int64.random(in: 1...40, using: &random) * Int64(rowsPerCommit)
            _ = eventually(within: 20) { acknowledged.withLock { $0 } > floor + target }
            disk.cut()
            #expect(finished.wait(timeout: .now() + 30) == .success)
            journal.close()
            try disk.unmount()
            try disk.mount()

            let last = acknowledged.withLock { $0 }
            let again = try Journal(settings, now: start)
            let status = again.status
            #expect(status.alarms.isEmpty, "seed \(seed) round \(round)")
            #expect(status.newest >= last, "seed \(seed) round \(round)")
            #expect(status.firstKept <= max(1, last - 2_000) + 1, "seed \(seed) round \(round)")
            let rows = try again.all(rows: 1000)
            #expect(rows.map(\.sequence) == Array(status.firstKept..<status.newest + 1), "seed \(seed) round \(round)")
            #expect(again.status.quarantined == 0 && again.status.dropped == 0)
            again.close()
            #expect(try integrity(of: settings.path) == "ok", "seed \(seed) round \(round)")
            floor = status.newest
        }
        print("power cuts survived: \(rounds), rows acknowledged: \(floor)")
    }
}
