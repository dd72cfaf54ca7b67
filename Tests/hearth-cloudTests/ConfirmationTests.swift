import Foundation
import Heating
import Testing

@testable import hearth_cloud

@Suite("Ingest: confirmations, the group and the client id")
struct ConfirmationTests {
    private func key(_ home: String, _ epoch: String = "e") throws -> ConfirmationQueue.Key {
        .init(home: try #require(HomeID(home)), epoch: ExactString(epoch))
    }

    @Test("what waits for the same home becomes one, in the order of waiting")
    func merged() throws {
        var queue = ConfirmationQueue()
        #expect(queue.put(try key("a"), SequenceRanges([1...2])))
        #expect(queue.put(try key("b"), SequenceRanges([7...7])))
        #expect(queue.put(try key("a"), SequenceRanges([3...4])))
        #expect(queue.count == 2)
        #expect(queue.takeFirst(ranges: 10) == .init(key: try key("a"), ranges: SequenceRanges([1...4])))
        #expect(queue.takeFirst(ranges: 10) == .init(key: try key("b"), ranges: SequenceRanges([7...7])))
        #expect(queue.takeFirst(ranges: 10) == nil && queue.isEmpty)
    }

    @Test("ranges that no message can carry go in several, behind the others")
    func split() throws {
        var queue = ConfirmationQueue()
        let five: [ClosedRange<Int64>] = [10, 20, 30, 40, 50].map { $0...$0 }
        #expect(queue.put(try key("a"), SequenceRanges(five)))
        #expect(queue.put(try key("b"), SequenceRanges([1...1])))
        var taken: [(String, Int)] = []
        while let next = queue.takeFirst(ranges: 2) { taken.append((next.key.home.name, next.ranges.ranges.count)) }
        #expect(taken.map(\.0) == ["a", "b", "a", "a"])
        #expect(taken.map(\.1) == [2, 1, 2, 1])
    }

    @Test("a home that makes up journals or gaps fills its own place only")
    func bounded() throws {
        var queue = ConfirmationQueue()
        var refused = 0
        for number in 0..<20_000 where !queue.put(try key("evil", "epoch \(number)"), SequenceRanges([1...1])) {
            refused += 1
        }
        #expect(refused == 20_000 - ConfirmationQueue.epochLimit)
        #expect(queue.put(try key("good"), SequenceRanges([1...1])))
        for number in 0..<10
        where !queue.put(
            try key("gaps"),
            SequenceRanges((0..<5000).map { Int64(($0 * 10 + number) * 2)...Int64(($0 * 10 + number) * 2) }))
        { refused += 1 }
        #expect(refused > 20_000 - ConfirmationQueue.epochLimit, "gaps are bounded too")
        while queue.takeFirst(ranges: 1_000_000) != nil {}
        #expect(queue.put(try key("evil", "another"), SequenceRanges([1...1])), "sent ones give their place back")
    }

    @Test("the largest confirmation fits the packet that the broker names")
    func packets() throws {
        for packet in [800, 2000, 65_536] {
            let ranges = (0..<Int64(ConfirmationSender.ranges(within: packet))).map {
                (Int64.max - 4 * $0 - 1)...(Int64.max - 4 * $0)
            }
            let payload = Acknowledgement(epoch: String(repeating: "e", count: 64), ranges: ranges).payload
            #expect(payload.count + 300 < max(packet, 1000))
        }
    }

    @Test(
        "SHA-256 as FIPS 180-4 has it",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (String(repeating: "a", count: 1000), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
        ])
    func digest(_ text: String, _ expected: String) {
        let hexadecimal = SHA256.digest(Array(text.utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(hexadecimal == expected)
    }

    @Test("all replicas make the same group of their secret, and nobody else can")
    func group() throws {
        let secret = BrokerSecret(Array("s3cret".utf8))
        #expect(ShareGroup(secret) == ShareGroup(BrokerSecret(Array("s3cret".utf8))))
        #expect(ShareGroup(secret) != ShareGroup(BrokerSecret(Array("other".utf8))))
        #expect(ShareGroup(secret).formerNames == ["hearth-ingest"])
        #expect(ShareGroup(nil).name == "hearth-ingest" && ShareGroup(nil).formerNames.isEmpty)
        #expect(!ShareGroup(secret).name.contains(secret.derived("client id")), "one name does not tell another")
        for bad in ["", "a/b", "+", "#", String(repeating: "x", count: 300)] {
            #expect(throws: SettingError.self) { try ShareGroup(named: bad) }
        }
    }

    @Test("the client id is the same after a restart, whatever the host is called; nobody guesses it")
    func clientID() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "hearth-client-id-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try ClientIdentity.kept(in: path, role: "ingest", first: nil)
        #expect(try ClientIdentity.kept(in: path, role: "ingest", first: "renamed") == first)
        #expect(first.utf8.count == "hearth-ingest-".utf8.count + 24)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.removeItem(atPath: path)
        #expect(try ClientIdentity.kept(in: path, role: "ingest", first: nil) != first)
        #expect(throws: SettingError.self) {
            try ClientIdentity.kept(in: "/nowhere/at/all", role: "ingest", first: nil)
        }
        let secret = BrokerSecret(Array("s3cret".utf8))
        let pod = ClientIdentity.derived(role: "ingest", name: "ingestor-0", secret: secret)
        #expect(pod.hasPrefix("hearth-ingest-ingestor-0-") && pod.utf8.count == 37)
        #expect(pod != ClientIdentity.derived(role: "ingest", name: "ingestor-1", secret: secret))
    }
}
