import Foundation
import SimulationModel

@testable import Journal

/// A journal file to be damaged while nobody has it open.
struct Victim {
    let directory: TemporaryDirectory
    let path: String
    let settings: Journal.Settings
    var pageSize: Int { settings.pageSize }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("j.sqlite")
        settings = Journal.Settings(path: path)
    }

    /// A closed journal with rows 1...count; its log is emptied, so that what is damaged is what is read.
    func make(_ count: Int) throws {
        let journal = try Journal(settings, now: start)
        for batch in stride(from: 0, to: count, by: 100) {
            try journal.append(entries(batch..<min(batch + 100, count)), now: start)
        }
        journal.close()
        try FileManager.default.removeItem(atPath: path + "-wal")
    }

    func change(_ file: String? = nil, _ body: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: file ?? path)
        var data = try Data(contentsOf: url)
        body(&data)
        try data.write(to: url)
    }

    /// Puts the file `clean` in the place of everything there is, with one to eight of its bits flipped.
    func restore(_ clean: Data, flippedBy random: inout SeededGenerator) throws {
        for name in directory.names { try FileManager.default.removeItem(atPath: directory.file(name)) }
        var data = clean
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            data[Int.random(in: 0..<data.count, using: &random)] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
        }
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// Changes the closed file as SQLite would, checksums aside.
    func execute(_ sql: String) throws {
        let connection = try SQLiteConnection(path: path, vfs: nil)
        try Schema.lock(connection)
        try connection.execute(sql, doing: "damaging")
    }

    func query(_ sql: String) throws -> String {
        let connection = try SQLiteConnection(path: path, vfs: nil)
        try Schema.lock(connection)
        return try connection.value(sql, doing: "asking") ?? ""
    }

    /// The bytes of row `number`'s payload as the file has them.
    func stored(_ number: Int) -> Data {
        Data(entry(number).payload)
    }

    /// The pages that hold the rows, in the rows' order, and which rows each holds, counted from 0.
    func leaves() throws -> [(page: Int, rows: Range<Int>)] {
        let listing = try query(
            """
            SELECT group_concat(pageno || ':' || ncell) FROM
                (SELECT pageno, ncell FROM dbstat WHERE name = 'entry' AND pagetype = 'leaf' ORDER BY path)
            """)
        var first = 0
        return listing.split(separator: ",").map { item in
            let numbers = item.split(separator: ":").compactMap { Int($0) }
            defer { first += numbers[1] }
            return (numbers[0], first..<first + numbers[1])
        }
    }

    var damagedFiles: [String] { directory.names.filter { $0.contains(".damaged-2026-11-23T") } }
}
