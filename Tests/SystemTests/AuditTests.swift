import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite("The audit tells exactly what the cloud does not have")
    struct AuditTests {
        private struct Gap: Decodable, Equatable {
            var from: Int
            var to: Int
            var kind: String
        }

        private struct Answer: Decodable {
            var gaps: [Gap]
            var dropped: Int
            var last: Int?
        }

        private func audit(_ rig: Rig) async throws -> (exit: ChildProcess.Exit, answer: Answer) {
            let result = try await ChildProcess.run(
                ChildProcess.binary("hearth"), ["audit", "--since", "1h", "--json", "--socket", rig.socket])
            return (result.exit, try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8)))
        }

        @Test("an overflowing journal: what was dropped and what waits, sequence by sequence")
        func overflow() async throws {
            let rig = try await Rig(journal: "max_size = \"16MiB\"")
            rig.cloudWire.set(.refuse)
            try await rig.startAndSubscribe()
            var loads = 0
            while try rig.currentStatus()["journal"]["dropped"].int ?? 0 == 0, loads < 10 {
                let load = try await ChildProcess.run(
                    ChildProcess.binary("hearth-sim"),
                    ["load", "--port", "\(rig.home.port)", "--count", "60000", "--rooms", "3", "--json"],
                    within: .seconds(120))
                try #require(load.exit == .code(0))
                loads += 1
            }
            // A slow machine has some of it at the home broker still.
            try await rig.status(within: .seconds(120)) { $0["counters"]["recorded"].int ?? 0 >= loads * 60_000 }
            // What arrived within ten seconds counts as on its way.
            var (exit, answer) = try await audit(rig)
            let deadline = ContinuousClock.now + .seconds(30)
            while answer.gaps.last?.to != answer.last, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(500))
                (exit, answer) = try await audit(rig)
            }
            #expect(exit == .code(1) && answer.dropped > 0)
            try await rig.stop()

            // The oracle is SQLite's own shell.
            let rows = try await ChildProcess.run(
                "/usr/bin/sqlite3",
                [rig.directory.file("journal.sqlite"), "SELECT min(sequence), max(sequence), count(*) FROM entry"])
            let numbers = rows.output.split(whereSeparator: { "|\n".contains($0) }).compactMap { Int($0) }
            try #require(numbers.count == 3, "\(rows.output)")
            #expect(numbers[2] == numbers[1] - numbers[0] + 1)
            #expect(
                answer.gaps == [
                    Gap(from: 1, to: numbers[0] - 1, kind: "lost"),
                    Gap(from: numbers[0], to: numbers[1], kind: "waiting"),
                ])
            #expect(answer.dropped == numbers[0] - 1)
        }
    }
}
