import SimulationModel
import Testing

@testable import Journal

@Suite struct RetentionTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func journal(
        _ maxBytes: Int64 = 64 << 20, whenFull: WhenFull = .dropOldest, history: Duration = .seconds(3600)
    ) throws -> Journal {
        try Journal(
            .init(path: directory.file("j.sqlite"), maxBytes: maxBytes, whenFull: whenFull, history: history),
            now: start)
    }

    @Test func forwardedRowsOlderThanHistoryAreDeletedAndNoOthers() throws {
        let journal = try journal()
        try journal.append(entries(0..<100, at: start - 2 * hour), now: start)
        try journal.append(entries(100..<200, at: start - hour / 2), now: start)
        try journal.append(entries(200..<300, at: start - 2 * hour), now: start)
        try journal.confirm([1...200], cursor: "up", now: start)
        #expect(journal.status.firstKept == 101)
        #expect(try journal.all().compactMap(\.number) == Array(100..<300))
        #expect(journal.status.dropped == 0)
        #expect(journal.status.unconfirmedRows == 100)
    }

    @Test func unconfirmedRowsStayHoweverOldTheyAre() throws {
        let journal = try journal(history: .zero)
        for batch in 0..<20 { try journal.append(entries(batch * 500..<batch * 500 + 500, at: 0), now: start) }
        try journal.confirm([2...10_000], cursor: "up", now: start)
        #expect(try journal.all(rows: 1000).count == 10_000)
        // Nobody has created the second cursor's rows yet: the slowest decides.
        try journal.advance("slow", through: 50)
        try journal.confirm([1...1], cursor: "up", now: start)
        #expect(journal.status.firstKept <= 51)
    }

    @Test func withoutACursorNothingIsForwarded() throws {
        let journal = try journal(history: .zero)
        try journal.append(entries(0..<10, at: 0), now: start)
        #expect(journal.status.lowWatermark == 0)
        #expect(try journal.all().count == 10)
    }

    @Test func aDrainedBacklogIsDeletedWhileItIsConfirmed() throws {
        let journal = try journal(history: .zero)
        for batch in 0..<60 { try journal.append(entries(batch * 500..<batch * 500 + 500, at: start), now: start) }
        var worst: Int64 = 0
        for batch in 0..<Int64(60) {
            let before = journal.status.firstKept
            try journal.confirm([batch * 500 + 1...batch * 500 + 500], cursor: "up", now: start + hour)
            worst = max(worst, journal.status.firstKept - before)
        }
        #expect(30_000 - journal.status.firstKept < 4096, "less than one block may remain")
        #expect(worst < 8 * 4096 + 4096, "bounded work per call")
        #expect(journal.status.walBytes == 4 << 20)
    }

    @Test func aClockThatJumpsBackDeletesNothing() throws {
        let journal = try journal(history: .seconds(3600))
        try journal.append(entries(0..<100, at: start), now: start)
        try journal.confirm([1...100], cursor: "up", now: 0)
        #expect(try journal.all().count == 100)
        try journal.confirm([1...100], cursor: "up", now: .min)
        #expect(try journal.all().count == 100)
    }

    @Test func atTheLimitForwardedHistoryGoesFirst() throws {
        let journal = try journal(1 << 20)
        var count = 0
        while count < 3_000 { try journal.append(entries(count..<count + 100), now: start); count += 100 }
        try journal.advance("up", through: 2_000)
        while journal.status.firstKept == 1 {
            try journal.append(entries(count..<count + 100), now: start); count += 100
        }
        #expect(journal.status.firstKept <= 2_001)
        #expect(journal.status.dropped == 0)
        #expect(try journal.all().compactMap(\.number) == Array(Int(journal.status.firstKept) - 1..<count))
    }

    @Test func dropOldestKeepsTheNewestAndCountsEveryLostRow() throws {
        let journal = try journal(1 << 20)
        try journal.advance("up", through: 0)
        for batch in 0..<200 { try journal.append(entries(batch * 100..<batch * 100 + 100), now: start) }
        let kept = try journal.all().compactMap(\.number)
        #expect(kept.count > 2_000)
        #expect(kept == Array(20_000 - kept.count..<20_000))
        #expect(journal.status.dropped == Int64(20_000 - kept.count))
        let size = try FileSystem.size(directory.file("j.sqlite"))! + FileSystem.size(directory.file("j.sqlite-wal"))!
        #expect(size <= 1 << 20)
        #expect(size == journal.status.fileBytes + journal.status.walBytes)
        let dropped = journal.status.dropped
        journal.close()
        #expect(try self.journal(1 << 20).status.dropped == dropped)
    }

    @Test func stopAcceptingThrowsAndStoresNothing() throws {
        let journal = try journal(1 << 20, whenFull: .stopAccepting)
        try journal.advance("up", through: 0)
        var count = 0
        var failure: JournalError?
        while failure == nil, count < 100_000 {
            do { try journal.append(entries(count..<count + 100), now: start); count += 100 } catch { failure = error }
        }
        #expect(failure?.code == .limit && failure?.isTransient == true)
        #expect(journal.status.newest == Int64(count))
        #expect(journal.status.lastError != nil)
        #expect(try journal.all().count == count)
        // Room comes from confirmations only.
        try journal.confirm([1...Int64(count)], cursor: "up", now: start)
        try journal.append(entries(count..<count + 100), now: start)
        #expect(journal.status.lastError == nil)
        #expect(journal.status.dropped == 0)
        #expect(try journal.all().compactMap(\.number).suffix(100) == Array(count..<count + 100)[...])
    }

    @Test(arguments: [512 << 10, 1 << 20, 3 << 20] as [Int64]) func theSizeOnDiskStaysBelowTheLimit(_ limit: Int64)
        throws
    {
        let seed = SeededGenerator.seed("theSizeOnDiskStaysBelowTheLimit")
        var random = SeededGenerator(seed: seed)
        let journal = try journal(limit)
        var size: Int64 = 0
        for step in 0..<300 {
            let batch = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                let bytes =
                    Int.random(in: 0..<20, using: &random) == 0 ? Int.random(in: 0..<20_000, using: &random) : 80
                return Journal.Record(topic: "t", payload: [UInt8](repeating: 1, count: bytes), receivedAt: start)
            }
            do { try journal.append(batch, now: start) } catch { #expect(error.code == .tooLarge) }
            if step % 7 == 0 { try journal.confirm([1...max(1, journal.status.newest - 20)], cursor: "up", now: start) }
            let database = try FileSystem.size(directory.file("j.sqlite"))!
            size = max(size, database + (try FileSystem.size(directory.file("j.sqlite-wal"))!))
        }
        #expect(size <= limit, "seed \(seed)")
        journal.close()
        #expect(try integrity(of: directory.file("j.sqlite")) == "ok")
    }

    @Test func sequencesAreNotUsedAgainAfterEverythingWasDeletedAndReopened() throws {
        var journal = try journal(history: .zero)
        var expected: Int64 = 1
        for _ in 0..<3 {
            let range = try #require(try journal.append(entries(0..<20, at: 0), now: start))
            #expect(range.lowerBound == expected)
            expected = range.upperBound + 1
            try journal.confirm([1...range.upperBound], cursor: "up", now: start)
            #expect(try journal.all().isEmpty)
            #expect(journal.status.firstKept == expected)
            journal.close()
            journal = try self.journal(history: .zero)
            #expect(try journal.cursor("up") == expected - 1)
        }
    }

    @Test func sequencesAreNotUsedAgainAfterAnOverflowWithoutClosing() throws {
        let journal = try journal(512 << 10)
        let large = Journal.Record(topic: "t", payload: [UInt8](repeating: 1, count: 60_000), receivedAt: 0)
        for _ in 0..<40 { try journal.append([large], now: start) }
        #expect(journal.status.newest == 40)
        try run("cp", directory.file("j.sqlite"), directory.file("copy"))
        try run("cp", directory.file("j.sqlite-wal"), directory.file("copy-wal"))
        let copy = try Journal(.init(path: directory.file("copy")), now: start)
        #expect(try copy.append([entry(1)], now: start) == 41...41)
    }

    @Test func settingsThatCannotWorkAreRefused() throws {
        #expect(code { _ = try journal(1000) } == .settings)
        #expect(code { _ = try Journal(.init(path: directory.file("p"), pageSize: 1000), now: 0) } == .settings)
        #expect(code { _ = try Journal(.init(path: ""), now: 0) } == .settings)
        #expect(directory.names.isEmpty)
    }
}
