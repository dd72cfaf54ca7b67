import Foundation
import Testing

@testable import Journal

/// Files that somebody removes or replaces while the journal is in use.
@Suite struct RemovalTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("j.sqlite")
    }

    enum Loss: CaseIterable { case database, log, both, databaseReplaced, logReplaced }

    private func lose(_ loss: Loss) throws {
        let log = path + "-wal"
        switch loss {
        case .database: unlink(path)
        case .log: unlink(log)
        case .both:
            unlink(path)
            unlink(log)
        case .databaseReplaced:
            unlink(path)
            try Data("somebody else's".utf8).write(to: URL(fileURLWithPath: path))
        case .logReplaced:
            unlink(log)
            try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: log))
        }
    }

    /// The rows that a machine that loses power now would find under the files' names.
    private func rowsOnDisk() throws -> (epoch: String, rows: [Journal.Record]) {
        let copy = try TemporaryDirectory()
        for name in ["j.sqlite", "j.sqlite-wal"] where FileManager.default.fileExists(atPath: directory.file(name)) {
            try FileManager.default.copyItem(atPath: directory.file(name), toPath: copy.file(name))
        }
        let journal = try Journal(.init(path: copy.file("j.sqlite")), now: start)
        return (journal.epoch, try journal.all())
    }

    @Test(arguments: Loss.allCases) func everyAcknowledgedRowIsUnderItsNameAgain(_ loss: Loss) throws {
        let journal = try Journal(.init(path: path), now: start)
        try journal.append(entries(0..<300), now: start)
        try journal.confirm([1...40, 50...60], cursor: "up", now: start)
        let epoch = journal.epoch
        try lose(loss)
        // Nothing is acknowledged before the file is back.
        #expect(try journal.append(entries(300..<343), now: start) == 301...343)
        #expect(journal.epoch == epoch && journal.status.removals == 1)
        #expect(journal.status.removal?.contains("300 rows") == true)
        let found = try rowsOnDisk()
        #expect(found.epoch == epoch && found.rows.map(\.sequence) == Array(1...343))
        #expect(found.rows.map(\.payload) == entries(0..<343).map(\.payload))
        // And it goes on like any other.
        #expect(try journal.cursor("up") == 40 && journal.confirmedAbove("up") == [50...60])
        try journal.append(entries(343..<400), now: start)
        #expect(try rowsOnDisk().rows.count == 400)
        #expect(journal.status.quarantined == 0 && journal.status.dropped == 0 && journal.status.lastError == nil)
        journal.close()
        #expect(try Journal(.init(path: path), now: start).all().count == 400)
    }

    @Test func whatSomebodyPutThereIsKept() throws {
        let journal = try Journal(.init(path: path), now: start)
        try journal.append(entries(0..<10), now: start)
        try lose(.databaseReplaced)
        _ = try journal.recent(1)
        let aside = try #require(directory.names.first { $0.contains("replaced") })
        #expect(try String(contentsOfFile: directory.file(aside), encoding: .utf8) == "somebody else's")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to hide a directory"))
    func whileItCannotBePutBackNothingIsAcknowledgedAndNothingIsLost() throws {
        let journal = try Journal(.init(path: path), now: start)
        try journal.append(entries(0..<10), now: start)
        // The directory is gone as well, so there is nowhere to put anything.
        try FileManager.default.moveItem(atPath: directory.path, toPath: directory.path + "-away")
        unlink(directory.path + "-away/j.sqlite")
        #expect(code { try journal.append([entry(10)], now: start) } == .permission)
        #expect(code { try journal.append([entry(10)], now: start) } == .permission)
        #expect(journal.status.lastError?.contains("only copy of 10 rows") == true)
        try FileManager.default.moveItem(atPath: directory.path + "-away", toPath: directory.path)
        #expect(try journal.append([entry(10)], now: start) == 11...11)
        #expect(try rowsOnDisk().rows.count == 11)
    }

    @Test func aTopicIsItsBytes() throws {
        let names = [
            "caf\u{E9}", "cafe\u{301}", "\u{212B}", "\u{C5}", "A\u{30A}", "stra\u{DF}e", "STRASSE", "\u{FEFF}a", "a",
        ]
        let topics = names.map { $0 + "/temperature" }
        #expect(Set(topics).count < topics.count, "Swift takes some of them for equal")
        let journal = try Journal(.init(path: path), now: start)
        try journal.append(topics.enumerated().map { entry($0, topic: $1) }, now: start)
        func check(_ journal: Journal) throws {
            #expect(try journal.all().map { Array($0.topic.utf8) } == topics.map { Array($0.utf8) })
            let one = try journal.read(after: 0, rows: 100, topics: [topics[1]]).records
            #expect(one.map(\.sequence) == [2])
        }
        try check(journal)
        journal.close()
        try check(try Journal(.init(path: path), now: start))
    }

    @Test func whatIsConfirmedAboveTheCursorOutlivesTheProcess() throws {
        do {
            let journal = try Journal(.init(path: path), now: start)
            try journal.append(entries(0..<2000), now: start)
            try journal.confirm([1...6, 8...900, 902...2000], cursor: "up", now: start)
            // Not closed, as if killed: the second call finds the cursors due.
            try journal.confirm([5...5], cursor: "up", now: start)
            let copy = try TemporaryDirectory()
            for name in directory.names {
                try FileManager.default.copyItem(atPath: directory.file(name), toPath: copy.file(name))
            }
            let again = try Journal(.init(path: copy.file("j.sqlite")), now: start)
            #expect(try again.cursor("up") == 6 && again.confirmedAbove("up") == [8...900, 902...2000])
            try again.confirm([7...7, 901...901], cursor: "up", now: start)
            again.close()
            let last = try Journal(.init(path: copy.file("j.sqlite")), now: start)
            #expect(try last.cursor("up") == 2000 && last.confirmedAbove("up").isEmpty)
        }
    }
}
