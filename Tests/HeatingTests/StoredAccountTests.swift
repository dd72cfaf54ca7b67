import Heating
import Testing

@Suite("What became of a journal's records")
struct StoredAccountTests {
    private func ranges(_ ranges: ClosedRange<Int64>...) -> SequenceRanges { SequenceRanges(ranges) }

    @Test("a record has one fate, the strongest, in whatever order they are heard of")
    func precedence() {
        var account = StoredAccount(epoch: "e", first: 1)
        account.add(ranges(1...10), .held)
        account.add(ranges(3...3), .deadLetters)
        account.add(ranges(1...2), .points)
        account.add(ranges(2...2), .overwritten)
        account.add(ranges(1...4), .held)
        #expect(account[.overwritten].ranges == [2...2])
        #expect(account[.points].ranges == [1...1])
        #expect(account[.deadLetters].ranges == [3...3])
        #expect(account[.held].ranges == [4...10])
    }

    @Test("accounts that two services keep come to the same, whoever hears of whom first")
    func merging() {
        var left = StoredAccount(epoch: "e", first: 5)
        left.add(ranges(5...9, 20...30), .points)
        var right = StoredAccount(epoch: "e", first: 1)
        right.add(ranges(1...4), .points)
        right.add(ranges(9...9), .overwritten)
        right.add(ranges(25...26, 31...31), .held)
        var (one, other) = (left, right)
        one.merge(right)
        other.merge(left)
        #expect(one == other)
        #expect(one.toldFrom == 1 && one[.points].ranges == [1...8, 20...30] && one[.held].ranges == [31...31])
    }

    @Test("of too many gaps the oldest are given up, and the account says from where on it tells")
    func bounded() {
        var account = StoredAccount(epoch: "e", first: 1)
        for number in 0..<Int64(3 * StoredAccount.rangeLimit) {
            account.add(ranges(2 * number + 1...2 * number + 1), .points)
        }
        #expect(account[.points].ranges.count == StoredAccount.rangeLimit)
        #expect(account.toldFrom == Int64(4 * StoredAccount.rangeLimit))
        account.add(ranges(1...3), .deadLetters)
        #expect(account[.deadLetters].isEmpty, "what is not told any more is not told in part")
    }

    @Test("a summary survives its way as a message; a damaged one, a larger one and one of many journals are none")
    func message() throws {
        var summary = StoredSummary()
        summary.add(ranges(1...500, 502...600), .points, of: "e")
        summary.add(ranges(501...501), .deadLetters, of: "e")
        for number in 0..<6 { summary.add(ranges(1...7), .points, of: "f\(number)") }
        #expect(summary.journals.map(\.epoch) == ["f2", "f3", "f4", "f5"])
        summary.add(ranges(1...500), .points, of: "e")
        #expect(StoredSummary(payload: summary.payload()) == summary)
        #expect(summary.payload().count < StoredSummary.payloadLimit)
        for text in [
            "", "{}", "[]", #"{"journals":[{"epoch":"","first":1,"forgotten":0}]}"#,
            #"{"journals":[{"epoch":"e","first":1,"forgotten":0,"points":[[5,1]]}]}"#,
            #"{"journals":[{"epoch":"e","first":-1,"forgotten":0}]}"#,
            #"{"journals":[{"epoch":"e","first":1,"forgotten":0},{"epoch":"e","first":1,"forgotten":0}]}"#,
        ] { #expect(StoredSummary(payload: text.utf8) == nil, "\(text)") }
    }

    @Test("a summary that lacks something is told so, once")
    func lacking() {
        var mine = StoredSummary()
        mine.add(ranges(1...10), .points, of: "e")
        var published = StoredSummary()
        published.add(ranges(1...4), .points, of: "e")
        let lacked = mine.merge(published)
        let lacks = mine.merge(mine)
        #expect(lacked && !lacks)
        var restarted = StoredSummary()
        restarted.add(ranges(9...12), .points, of: "e")
        let lacksNew = restarted.merge(mine)
        #expect(lacksNew)
        #expect(restarted.journal("e")?[.points].ranges == [1...12] && restarted.journal("e")?.toldFrom == 1)
    }
}
