import Compression
import EventLog
import Glibc
import Heating
import MQTT
import Testing

@testable import hearth_cloud

@Suite("Ingest: what a home may cost the others")
struct IngestLimitsTests {
    private let arrival = Timestamp(nanoseconds: 1_795_428_000_000_000_000)

    private func home(_ name: String) throws -> HomeID { try #require(HomeID(name)) }

    private func frame(_ records: Int, bytes: Int, epoch: String = "e") -> [UInt8] {
        let payload = [UInt8](repeating: UInt8(ascii: "{"), count: bytes)
        return Frame(
            epoch: epoch,
            records: (1...Int64(records)).map { .init(sequence: $0, topic: "r/temperature", payload: payload) }
        ).encode(with: .zlib)
    }

    @Test("a few bytes that stand for many are refused before they are many, and not confirmed")
    func bombs() {
        let bomb = frame(9_000, bytes: 1600)
        #expect(bomb.count < 300)
        var decoder = IngestDecoder(topics: names)
        var batch = IngestBatch(arrival: arrival)
        for _ in 0..<60 { decoder.decode(Message(topic: "evil/frame", payload: bomb), into: &batch, now: .zero) }
        #expect(batch.deadLetters == ["bad_frame": 60] && batch.confirmations.isEmpty)
        #expect(batch.bytes < 60 * 1024, "only their few bytes are kept")
    }

    @Test("the largest frame a gateway sends is taken")
    func realFrames() {
        // 500 records, 256 KiB of them, and one beyond, as UplinkState has them.
        let settings = UplinkState.Settings()
        let size = settings.frameBytes / settings.frameRecords
        let text =
            "{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 20.5, \"more\": \"\(String(repeating: "x", count: size - 60))\"}"
        let records = (1...Int64(settings.frameRecords)).map {
            Frame.Record(sequence: $0, topic: "r/temperature", payload: Array(text.utf8))
        }
        var decoder = IngestDecoder(topics: names)
        for compression in [nil, FrameCompression.zlib] {
            let bytes = Frame(epoch: "e", records: records).encode(with: compression)
            let batch = decoder.decode([Message(topic: "h/frame", payload: bytes)], arrival: arrival)
            #expect(batch.readings == settings.frameRecords && batch.deadLetters.isEmpty)
        }
    }

    @Test("dead letters of one home are bounded, counted beyond that and not confirmed; others keep theirs")
    func deadLetters() throws {
        var decoder = IngestDecoder(topics: names)
        let junk = [UInt8](repeating: 0, count: 10_000)
        func send(_ home: String, _ sequence: Int, now: Instant) -> IngestBatch {
            decoder.decode(
                [
                    Message(
                        topic: "\(home)/r/temperature", payload: junk,
                        userProperties: [.init("seq", "\(sequence)"), .init("epoch", "e")])
                ], arrival: arrival, now: now)
        }
        var (kept, refused, confirmed) = (0, 0, 0)
        for sequence in 1...10_000 {
            let batch = send("evil", sequence, now: .zero)
            kept += batch.bytes
            refused += batch.refused.values.reduce(0, +)
            confirmed += batch.marks.compactMap(\.self).count
        }
        #expect(kept < 2 << 20 && refused > 9000)
        #expect(confirmed == 10_000 - refused, "what was not kept is not confirmed")
        #expect(send("good", 1, now: .zero).marks.count == 1)
        // An hour later there is place again.
        #expect(send("evil", 1, now: .seconds(3600)).marks.count == 1)
    }

    @Test("made-up names buy no more of the log than a few homes")
    func manyNames() {
        var decoder = IngestDecoder(topics: names)
        let junk = [UInt8](repeating: 0, count: 20_000)
        var kept = 0
        for number in 0..<600 {
            kept +=
                decoder.decode(
                    [Message(topic: "made-up-\(number)/r/temperature", payload: junk)], arrival: arrival, now: .zero
                ).bytes
        }
        #expect(kept < 9 << 20)
        var budget = ByteBudget(home: .init(burst: 100, perHour: 100), all: nil)
        for number in 0..<6000 { _ = HomeID("made-up-\(number)").map { budget.take(10, of: $0, now: .zero) } }
        #expect(budget.remembered <= 4096)
    }

    @Test("a loop is busy while it is at work for most of the last seconds, and not after a rest")
    func load() {
        var load = Load()
        var now = Instant.seconds(1)
        for _ in 0..<40 {
            let start = now
            now = now + .milliseconds(90)
            load.worked(from: start, to: now)
            now = now + .milliseconds(10)
        }
        let isBusyAtWork = load.isBusy(now: now)
        let isBusyAfterRest = load.isBusy(now: now + .seconds(3))
        #expect(isBusyAtWork && !isBusyAfterRest)
    }

    @Test("frames of readings without end: alone as fast as it goes, beside others that wait within bounds")
    func readings() {
        // Long payloads: the bytes count, and a test of few records is a fast one.
        let text = #"{"timestamp": "2026-11-23T10:00:00", "value": 20.5, "x": ""# + String(repeating: "x", count: 9_000)
        let records = (1...Int64(100)).map {
            Frame.Record(sequence: $0, topic: "r/temperature", payload: Array((text + "\"}").utf8))
        }
        let bytes = Frame(epoch: "e", records: records).encode(with: .zlib)
        func flood(besides: Bool, isBusy: Bool = true) -> (readings: Int, refused: Int) {
            // An eighth of what a home has, which is as much more quickly gone.
            var decoder = IngestDecoder(topics: names, contentLimit: .init(burst: 8 << 20, perHour: 3600 << 19))
            decoder.isBusy = isBusy
            var total = (readings: 0, refused: 0)
            for _ in 0..<12 {
                if besides {
                    _ = decoder.decode(
                        [Message(topic: "good/r/temperature", payload: payload("2026-11-23T10:00:00", "1"))],
                        arrival: arrival, now: .zero)
                }
                let batch = decoder.decode([Message(topic: "evil/frame", payload: bytes)], arrival: arrival, now: .zero)
                total.readings += batch.readings
                total.refused += batch.refused["too_fast", default: 0]
            }
            return total
        }
        #expect(flood(besides: false) == (1200, 0))
        #expect(flood(besides: true, isBusy: false) == (1200, 0), "nobody waits for it")
        let besides = flood(besides: true)
        #expect(besides.refused > 0 && besides.readings < 1000)
    }

    @Test("a batch is taken in rounds: nobody stands behind all that another has sent")
    func fairOrder() {
        let topics =
            (0..<500).map { _ in "evil/r/temperature" } + ["a/x/temperature", "b/x/temperature", "a/y/temperature"]
        let order = FairOrder.order(topics)
        #expect(order.sorted() == Array(topics.indices))
        #expect(
            Set(order.prefix(3).map { topics[$0] }) == ["evil/r/temperature", "a/x/temperature", "b/x/temperature"])
        #expect(order.prefix(5).contains(502))
        for home in ["evil/", "a/"] {
            let own = order.filter { topics[$0].hasPrefix(home) }
            #expect(own == own.sorted(), "a home's own order stays")
        }
    }

    @Test("a message that ends the process is passed after its second kill, and only that one")
    func poison() throws {
        let path = "\(FileManagerPath.temporary)/hearth-kill-mark-\(getpid())"
        defer { unlink(path) }
        let poison = Message(topic: "evil/frame", payload: [1, 2, 3])
        let good = Message(topic: "good/frame", payload: [1, 2, 4])
        // The first process is killed amid a batch: nobody knows by which message.
        KillMark(path: path).begin()
        var second = KillMark(path: path)
        #expect(second.isCareful && !second.isCulprit(poison))
        second.watch(good) {}
        // The second dies while it decodes the very message.
        second.watch(poison) {
            let third = KillMark(path: path)
            #expect(third.isCulprit(poison) && !third.isCulprit(good) && third.isCareful)
            third.close()
        }
        let fourth = KillMark(path: path)
        #expect(fourth.isCulprit(poison), "for good, whatever happens in between")
        for mark in [second, fourth] { mark.close() }
        #expect(!KillMark(path: nil).isKept)
    }

    @Test("a process that is killed while it waits for the log accuses no message")
    func waiting() {
        let path = "\(FileManagerPath.temporary)/hearth-kill-mark-wait-\(getpid())"
        defer { unlink(path) }
        let message = Message(topic: "good/frame", payload: [1])
        KillMark(path: path).begin()
        for _ in 0..<3 {
            var mark = KillMark(path: path)
            mark.begin()
            mark.watch(message) {}
            mark.close()
        }
        #expect(!KillMark(path: path).isCulprit(message))
    }

    private enum FileManagerPath {
        static let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    }
}
