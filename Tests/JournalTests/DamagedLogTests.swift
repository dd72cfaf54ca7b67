import Foundation
import SimulationModel
import Testing

@testable import Journal

/// Bits that flip in the write-ahead log, which SQLite takes for the end of the log.
@Suite struct DamagedLogTests {
    let victim: Victim
    private var path: String { victim.path }
    private let frameBytes: Int
    private static let batches = 40

    /// A journal of several pages of rows, a commit for each ten; all but those of the first are in the log only.
    init() throws {
        victim = try Victim()
        frameBytes = victim.settings.pageSize + 24
        var journal = try Journal(victim.settings, now: start)
        try journal.append(entries(0..<10), now: start)
        journal.close()
        try FileManager.default.removeItem(atPath: path + "-wal")
        journal = try Journal(victim.settings, now: start)
        for batch in 1..<Self.batches {
            try journal.append(entries(batch * 10..<batch * 10 + 10), now: start)
            // A page with counters among those of the rows.
            if batch == Self.batches * 3 / 4 { try journal.advance("up", through: 300) }
        }
        // Copied while in use, as a kill would leave it.
        try run("cp", path, victim.directory.file("killed"))
        try run("cp", path + "-wal", victim.directory.file("killed-wal"))
        journal.close()
        // With every frame in the database, as a kill between a checkpoint and the next commit leaves it.
        try run("cp", path, victim.directory.file("checkpointed"))
        for part in ["", "-wal"] {
            try FileManager.default.removeItem(atPath: path + part)
            try FileManager.default.moveItem(atPath: victim.directory.file("killed" + part), toPath: path + part)
        }
    }

    /// Frames of this use of the log; older ones behind them have other salts.
    private func frames() throws -> Int {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        var count = 0
        while case let header = 32 + count * frameBytes, header + frameBytes <= data.count,
            data[header + 8..<header + 16].elementsEqual(data[16..<24])
        { count += 1 }
        return count
    }

    private func flip(bit: Int, at offset: Int) throws {
        try victim.change(path + "-wal") { $0[offset] ^= UInt8(1 << bit) }
    }

    private func expectEverything(_ what: String) throws {
        let journal = try Journal(victim.settings, now: start)
        defer { journal.close() }
        let numbers = try journal.all().compactMap(\.number)
        let missing = Self.batches * 10 - numbers.count
        #expect(Set(numbers).isSubset(of: 0..<Self.batches * 10), "\(what)")
        #expect(numbers == numbers.sorted(), "\(what)")
        #expect(missing >= 0 && Int64(missing) == journal.status.quarantined, "\(what): \(missing) missing")
        // One frame holds no more than one page's rows, and later versions of most pages hold them again.
        #expect(missing <= 40, "\(what): \(missing) missing")
        let next = try #require(try journal.append([entry(7)], now: start))
        #expect(next.lowerBound > Int64(Self.batches * 10), "\(what): a sequence was given out twice")
    }

    @Test("a flipped bit in any frame but the last commits costs no row of the others", arguments: [false, true])
    func everyFrame(isCheckpointed: Bool) throws {
        let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        let database = try Data(
            contentsOf: URL(fileURLWithPath: isCheckpointed ? victim.directory.file("checkpointed") : path))
        let count = try frames()
        #expect(count > Self.batches)
        var random = SeededGenerator(seed: SeededGenerator.seed("everyFrame"))
        // The last commit's frames cannot be told from a write that a power cut tore, and a row that is hit in the last
        // but one may be the newest that is known.
        for frame in 0..<count - 6 {
            try log.write(to: URL(fileURLWithPath: path + "-wal"))
            try database.write(to: URL(fileURLWithPath: path))
            let offset = Int.random(in: 0..<frameBytes, using: &random)
            try flip(bit: Int.random(in: 0..<8, using: &random), at: 32 + frame * frameBytes + offset)
            try expectEverything("frame \(frame) of \(count), byte \(offset)")
        }
    }

    @Test("a frame that reads as zeros, all of it or its page number, is not the log's end", arguments: [4, 24])
    func zeros(bytes: Int) throws {
        let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        let database = try Data(contentsOf: URL(fileURLWithPath: path))
        for frame in stride(from: 0, to: try frames() - 6, by: 5) {
            try database.write(to: URL(fileURLWithPath: path))
            var damaged = log
            let offset = 32 + frame * frameBytes
            damaged.replaceSubrange(offset..<offset + bytes, with: Data(repeating: 0, count: bytes))
            try damaged.write(to: URL(fileURLWithPath: path + "-wal"))
            try expectEverything("frame \(frame)")
        }
    }

    @Test("a flipped bit in the log's header costs nothing", arguments: 0..<32)
    func header(_ offset: Int) throws {
        try flip(bit: offset % 8, at: offset)
        try expectEverything("header byte \(offset)")
    }

    @Test("an undamaged log is no tail")
    func sound() throws {
        #expect(LogTail(path: path, pageSize: victim.settings.pageSize) == nil)
        try expectEverything("undamaged")
        #expect(LogTail(path: path, pageSize: victim.settings.pageSize) == nil)
    }
}
