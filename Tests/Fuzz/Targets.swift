import Compression
import GatewayClient
import Glibc
import Heating

@testable import Influx

/// A number is what the C library makes of the same text, and finite.
@Sendable func checkReading(_ bytes: [UInt8]) {
    guard let reading = try? Reading(payload: bytes) else { return }
    require(reading.value.isFinite, "\(reading.value) is no temperature")
    require(strtod(reading.valueText, nil) == reading.value, "\(reading.valueText) became \(reading.value)")
    require(Timestamp(iso8601: reading.time.text.utf8) != nil, "took the time \(reading.time.text)")
}

@Sendable func checkCommand(_ bytes: [UInt8]) {
    guard let command = try? HeatPumpCommand(payload: bytes) else { return }
    if let duration = command.duration { require(duration > .zero, "a command for \(duration)") }
}

/// What was taken encodes to a frame that says the same; sequences ascend.
@Sendable func checkFrame(_ bytes: [UInt8]) {
    // The checksum would keep the fuzzer out: it is put right for half of the inputs.
    for input in [bytes, Frame.sealed(bytes), Frame.compressed(bytes)] {
        guard let frame = try? Frame.decode(input, limit: 1 << 20, with: .zlib) else { continue }
        var last: Int64 = 0
        for record in frame.records {
            require(record.sequence > last, "sequence \(record.sequence) after \(last)")
            last = record.sequence
        }
        let again = try? Frame.decode(frame.encode(with: .zlib), limit: 1 << 20, with: .zlib)
        require(again == frame, "does not read back")
    }
}

@Sendable func checkAcknowledgement(_ bytes: [UInt8]) {
    guard let acknowledgement = try? Acknowledgement(payload: bytes) else { return }
    require((try? Acknowledgement(payload: acknowledgement.payload)) == acknowledgement, "does not read back")
    let ranges = SequenceRanges(acknowledgement.ranges).ranges
    for (left, right) in zip(ranges, ranges.dropFirst()) {
        require(left.upperBound < right.lowerBound, "\(left) and \(right)")
    }
    var state = UplinkState(epoch: acknowledgement.epoch, lowWatermark: 5, newest: 50)
    state.connected(sendMaximum: 10, now: .zero)
    state.sent([6, 7, 8], scanned: 6...8, flight: 1, now: .zero)
    state.acknowledged(acknowledgement, now: .zero)
    require((5...8).contains(state.lowWatermark), "confirmed through \(state.lowWatermark), sent 6 to 8")
}

@Sendable func checkJSON(_ bytes: [UInt8]) {
    guard let json = try? JSON.parse(bytes) else { return }
    require((try? JSON.parse(json.bytes)) == json, "does not read back")
}

/// One pass over the bytes and the general parser agree.
@Sendable func checkLoggedReading(_ bytes: [UInt8]) {
    var reader = LoggedReading.Reader()
    let reading = reader.read(bytes[...])
    // What ingest never writes, a space before it, goes the long way.
    var other = LoggedReading.Reader()
    require(
        other.read(([0x20] + bytes)[...]) == reading, "read as \(String(describing: reading)) in ingest's shape only")
    if let known = reader.known {
        let text = String(decoding: bytes[known.text], as: UTF8.self)
        require(Double(text)?.bitPattern == reading?.value?.bitPattern, "text \(text) of another value")
    }
    guard let reading else { return }
    // The general parser also refuses an unknown key that comes twice.
    guard let json = try? JSON.parse(bytes) else { return }
    require(json["home"]?.string == reading.home.name, "home \(reading.home.name)")
    require(json["room"]?.string == reading.room.name, "room \(reading.room.name)")
    if let value = reading.value, let wanted = json["value"]?.double {
        require(value.bitPattern == wanted.bitPattern, "value \(value) instead of \(wanted)")
    }
}

@Sendable func checkTimestamp(_ bytes: [UInt8]) {
    guard let timestamp = Timestamp(iso8601: bytes) else { return }
    let text = timestamp.description
    require(Timestamp(iso8601: text.utf8) == timestamp, "\(text) is another time")
}

/// Nothing but 204 counts as stored; a wait is bounded.
@Sendable func checkDatabaseAnswer(_ bytes: [UInt8]) {
    guard bytes.count > 2 else { return }
    let status = 200 + Int(bytes[0]) * 2 % 400
    let header = String(decoding: bytes.dropFirst(2).prefix(Int(bytes[1]) % 40), as: UTF8.self)
    let body = Array(bytes.dropFirst(2 + Int(bytes[1]) % 40))
    let answer = Disposition(
        status: status, body: body, headers: ["retry-after": header], now: Timestamp(nanoseconds: 0))
    if answer == .stored { require(status == 204, "\(status) counts as stored") }
    if case .retry(_, let after?) = answer {
        require(after >= .zero && after <= RetryAfter.longest, "a wait of \(after)")
    }
}

@Sendable func checkStatus(_ bytes: [UInt8]) {
    guard let json = try? JSON.parse(bytes) else { return }
    _ = Status(json)
}

@Sendable func checkVarlink(_ bytes: [UInt8]) {
    guard let call = VarlinkCall(bytes) else { return }
    require(call.method.utf8.count <= bytes.count * 3, "a method longer than the call")
}

/// Either problems, each with a sentence, or a configuration whose printed form means the same.
@Sendable func checkConfiguration(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    do throws(ConfigurationError) {
        let configuration = try Configuration(text: text, file: "fuzz", environment: [:])
        do throws(ConfigurationError) {
            let again = try Configuration(text: configuration.text, file: "again", environment: [:])
            require(again.text == configuration.text, "the printed configuration means something else")
        } catch {
            require(false, "the printed configuration is refused: \(error)")
        }
    } catch {
        require(
            !error.problems.isEmpty && error.problems.allSatisfy { !$0.message.isEmpty }, "refused without a reason")
    }
}

extension Frame {
    /// The bytes as the body of a compressed frame, so that the fuzzer need not invent streams.
    fileprivate static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        guard let stream = FrameCompression.zlib.compress(bytes) else { return [] }
        var count: [UInt8] = []
        var rest = bytes.count
        while rest >= 0x80 {
            count.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return sealed(Array("HF".utf8) + [Frame.version, 1] + count + [UInt8(rest)] + stream)
    }

    /// The bytes with the checksum that they should have.
    fileprivate static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var state: UInt32 = ~0
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = (state >> 1) ^ (state & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        let checksum = ~state
        return bytes + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    }
}
