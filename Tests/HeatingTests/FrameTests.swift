import Compression
import SimulationModel
import Testing

@testable import Heating

@Suite struct FrameTests {
    private func error(_ frame: [UInt8], limit: Int = Frame.expandedLimit) -> FrameError? {
        do throws(FrameError) {
            _ = try Frame.decode(frame, limit: limit)
            return nil
        } catch { return error }
    }

    /// A body with a header in front and a right checksum behind.
    private func sealed(_ body: [UInt8], version: UInt8 = 1, flags: UInt8 = 0) -> [UInt8] {
        let content = bytes("HF") + [version, flags] + body
        let checksum = FrameChecksum.checksum(content.span, 0..<content.count)
        return content + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    }

    private func sensorFrame(_ count: Int) -> Frame {
        var random = SeededGenerator(seed: 11)
        return Frame(
            epoch: "0123456789abcdef0123456789abcdef",
            records: (0..<count).map { index in
                let time = Timestamp(
                    nanoseconds: Int64(index) * 12_000_000_000 + Int64.random(in: 0...999_999, using: &random) * 1000)
                let value = Double.random(in: 10...30, using: &random)
                let payload = "{\"timestamp\": \"\(time.description.dropLast())\", \"value\": \(value)}"
                return Frame.Record(
                    sequence: Int64(index + 1), topic: "room\(index % 5)/temperature", payload: bytes(payload))
            })
    }

    /// RFC 3720 appendix B.4, and the check value of the CRC catalogue.
    @Test func checksumIsCRC32C() {
        func checksum(_ input: [UInt8]) -> UInt32 { FrameChecksum.checksum(input.span, 0..<input.count) }
        #expect(checksum(bytes("123456789")) == 0xE306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum([]) == 0)
    }

    @Test func theFormatIsPinned() throws {
        let frame = Frame(
            epoch: "e",
            records: [
                .init(sequence: 5, topic: "a/temperature", payload: bytes("abcXYZ")),
                .init(sequence: 300, topic: "a/temperature", payload: bytes("abc1YZ"), attributes: [9]),
            ])
        let body: [UInt8] =
            [1] + bytes("e") + [1, 13] + bytes("a/temperature") + [2]
            + [5, 0, 0, 0, 6] + bytes("abcXYZ") + [0]
            + [0xA7, 0x02, 0, 3, 2, 1] + bytes("1") + [1, 9]
        #expect(frame.encode() == sealed(body))
        #expect(try Frame.decode(frame.encode()) == frame)
    }

    @Test func sensorReadingsShrinkByAThird() throws {
        let frame = sensorFrame(500)
        let encoded = frame.encode()
        let plain = frame.records.reduce(0) { $0 + $1.payload.count }
        #expect(try Frame.decode(encoded) == frame)
        #expect(encoded.count < plain * 7 / 10, "\(encoded.count) of \(plain) bytes")
        print("frame of 500 readings: \(encoded.count) bytes, payloads alone \(plain)")
    }

    @Test func compressedReadingsTakeAQuarter() throws {
        let frame = sensorFrame(500)
        let (plain, small) = (frame.encode(), frame.encode(with: .zlib))
        #expect(try Frame.decode(small, with: .zlib) == frame)
        #expect(small.count < plain.count * 4 / 10, "\(small.count) of \(plain.count) bytes")
        #expect(error(small) == .unsupportedFlags)
        // What would not get smaller stays as it is, for any reader.
        let single = Frame(epoch: "e", records: [.init(sequence: 1, topic: "a/temperature", payload: bytes("abc"))])
        #expect(single.encode(with: .zlib) == single.encode())
        let broken = FrameCompression { _ in
            nil
        } decompress: { _, _ in
            nil
        }
        #expect(frame.encode(with: broken) == plain)
        print("frame of 500 readings: \(small.count) bytes compressed")
    }

    @Test func aCompressedBodyIsOneStreamOfTheLengthItSays() throws {
        let frame = sensorFrame(20)
        let body = Array(frame.encode().dropFirst(4).dropLast(4))
        let stream = try #require(FrameCompression.zlib.compress(body))
        func error(_ count: Int, _ stream: [UInt8], limit: Int = Frame.expandedLimit) -> FrameError? {
            var bytes: [UInt8] = []
            bytes.appendVarint(UInt64(count))
            do throws(FrameError) {
                _ = try Frame.decode(sealed(bytes + stream, flags: 1), limit: limit, with: .zlib)
                return nil
            } catch { return error }
        }
        #expect(error(body.count, stream) == nil)
        for count in [0, 1, body.count - 1, body.count + 1] { #expect(error(count, stream) == .badCompression) }
        #expect(error(body.count, stream + [0]) == .badCompression)
        #expect(error(body.count, Array(stream.dropLast())) == .badCompression)
        #expect(error(body.count, []) == .badCompression)
        #expect(error(body.count, stream, limit: 100) == .tooLarge)
        #expect(error(.max, stream) == .tooLarge)
        // A bomb: 8 kB that stand for 8 MB.
        let bomb = try #require(FrameCompression.zlib.compress([UInt8](repeating: 0, count: 8 << 20)))
        #expect(error(8 << 20, bomb, limit: 1 << 20) == .tooLarge)
        #expect(error(1 << 20, bomb, limit: 1 << 20) == .badCompression)
    }

    @Test func everyDamagedByteOfACompressedFrameIsNoticed() throws {
        let encoded = sensorFrame(20).encode(with: .zlib)
        #expect(encoded[3] == 1)
        for index in encoded.indices {
            for bit in 0..<8 {
                var damaged = encoded
                damaged[index] ^= 1 << UInt8(bit)
                #expect((try? Frame.decode(damaged, with: .zlib)) == nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func topicsWithEqualCharactersAndDifferentBytesStayApart() throws {
        let topics = ["caf\u{E9}/temperature", "cafe\u{301}/temperature"]
        let frame = Frame(
            epoch: "e",
            records: topics.enumerated().map { .init(sequence: Int64($0 + 1), topic: $1, payload: [1]) })
        let read = try Frame.decode(frame.encode())
        #expect(read.records.map { Array($0.topic.utf8) } == topics.map { Array($0.utf8) })
    }

    @Test func anyRecordsReadBack() throws {
        for seed in seeds(2000, "anyRecordsReadBack") {
            var random = SeededGenerator(seed: seed)
            let topics = (0..<Int.random(in: 1...6, using: &random)).map { "room\($0)/temperature" }
            var sequence: Int64 = 0
            let records = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                sequence += random.chance(1, in: 10) ? Int64.random(in: 1...(1 << 50), using: &random) : 1
                let count = Int.random(in: 0...12, using: &random)
                return Frame.Record(
                    sequence: sequence, topic: random.pick(topics),
                    payload: (0..<count).map { _ in UInt8.random(in: 0...2, using: &random) },
                    attributes: random.chance(1, in: 5) ? [UInt8.random(in: 0...255, using: &random)] : [])
            }
            let frame = Frame(epoch: "epoch", records: records)
            try check((try? Frame.decode(frame.encode())) == frame, seed, "changed by a round trip")
            let small = frame.encode(with: .zlib)
            try check((try? Frame.decode(small, with: .zlib)) == frame, seed, "changed by compression")
        }
        let extreme = Frame(epoch: "e", records: [.init(sequence: .max, topic: "t", payload: [])])
        #expect(try Frame.decode(extreme.encode()) == extreme)
    }

    @Test func everyDamagedByteIsNoticed() throws {
        let encoded = sensorFrame(20).encode()
        for index in encoded.indices {
            for bit in 0..<8 {
                var damaged = encoded
                damaged[index] ^= 1 << UInt8(bit)
                #expect(error(damaged) != nil, "bit \(bit) of byte \(index)")
            }
        }
        for count in 0..<encoded.count { #expect(error(Array(encoded.prefix(count))) != nil) }
        #expect(error(encoded + [0]) == .checksum)
    }

    @Test func hostileBodiesNeverTrapNorGrow() throws {
        let body = sensorFrame(8).encode().dropFirst(4).dropLast(4)
        for seed in seeds(20_000, "hostileBodies") {
            var random = SeededGenerator(seed: seed)
            var hostile = Array(body)
            for _ in 0..<Int.random(in: 1...6, using: &random) where !hostile.isEmpty {
                let place = Int.random(in: 0..<hostile.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    hostile[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)])
                case 1: hostile.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], at: place)
                default: hostile.removeSubrange(place..<min(hostile.count, place + 3))
                }
            }
            let limit = 4096
            guard let frame = try? Frame.decode(sealed(hostile), limit: limit) else { continue }
            let size = frame.records.reduce(0) { $0 + $1.topic.utf8.count + $1.payload.count + $1.attributes.count }
            try check(size <= limit, seed, "\(size) bytes decoded")
            let sequences = frame.records.map(\.sequence)
            try check(zip(sequences, sequences.dropFirst()).allSatisfy { $0 < $1 }, seed, "order")
        }
    }

    @Test func namesWhatIsWrong() {
        let start: [UInt8] = [1] + bytes("e") + [1, 1] + bytes("t")
        let first: [UInt8] = [1, 0, 0, 0, 2] + bytes("ab") + [0]
        #expect(error(sealed(start + [1] + first)) == nil)
        #expect(error([]) == .notAFrame)
        #expect(error(bytes("{\"timestamp\":1}")) == .notAFrame)
        #expect(error(bytes("HF")) == .truncated)
        #expect(error(sealed(start + [1] + first, version: 2)) == .unsupportedVersion)
        #expect(error(sealed(start + [1] + first, flags: 1)) == .unsupportedFlags)
        #expect(error(sealed(start + [1] + first, flags: 2)) == .unsupportedFlags)
        #expect(error(sealed([1, 0xFF] + start.dropFirst(2) + [0])) == .badEpoch)
        #expect(error(sealed([65] + [UInt8](repeating: 65, count: 65) + [0, 0])) == .badEpoch)
        #expect(error(sealed([0, 1, 1, 0xFF, 0])) == .badTopic)
        #expect(error(sealed(start + [1, 1, 1, 0, 0, 0, 0])) == .badTopic)
        #expect(error(sealed(start + [1] + first + [0])) == .trailingBytes)
        #expect(error(sealed(start + [2] + first)) == .truncated)
        #expect(error(sealed(start + [1, 1, 0, 0, 0, 0x7F])) == .truncated)
        #expect(error(sealed(start + [2] + first + [0, 0, 0, 0, 0, 0])) == .badSequence)
        #expect(
            error(sealed(start + [2] + first + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])) == .badSequence)
        #expect(
            error(sealed(start + [2] + first + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1])) == .badNumber
        )
        #expect(error(sealed(start + [2] + first + [1, 0, 2, 1, 0, 0])) == .badPayload)
        #expect(error(sealed(start + [1, 1, 0, 1, 0, 0, 0])) == .badPayload)
        #expect(error(sealed(start + [0xFF, 0xFF, 0xFF, 0xFF, 0x7F])) == .tooManyRecords)
        #expect(error(sealed([1] + bytes("e") + [0xFF, 0xFF, 0xFF, 0x7F])) == .tooManyRecords)
    }

    @Test func aSmallFrameCannotExpandWithoutLimit() {
        // Ten thousand records that each repeat a 60 kB payload: 600 MB from 130 kB.
        var body: [UInt8] = [1] + bytes("e") + [1, 1] + bytes("t")
        body.appendVarint(10_000)
        body += [1, 0, 0, 0]
        body.appendVarint(60_000)
        body += [UInt8](repeating: 7, count: 60_000) + [0]
        for _ in 1..<10_000 {
            body += [1, 0]
            body.appendVarint(60_000)
            body += [0, 0, 0]
        }
        #expect(error(sealed(body)) == .tooLarge)
    }
}
