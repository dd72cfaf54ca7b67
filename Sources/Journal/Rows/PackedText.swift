import Glibc

/// Payloads as rows hold them: two digits to a byte and common phrases as one, a reading of 66 bytes in 25.
///
/// A row goes to the disk twice, into the log and into the database, so its length is most of what a stream of readings
/// wears off a memory card (scripts/bench --ratios, R10). No general compression: a row must be readable by itself, and
/// of its few bytes zlib makes more.
///
/// A sequence of pieces, each led by one byte: 0 to 127, that many bytes and one more as they are; 128 to 191, that many
/// less 126 characters of ``digits``, two to a byte, the first in the upper half; from 192 on, one of ``phrases``.
struct PackedText {
    /// The last result of ``pack(_:)``; its storage is used again.
    private(set) var bytes: [UInt8] = []

    /// Packs `text` into ``bytes``.
    /// - Returns: whether that is shorter, and gives back the same text.
    mutating func pack(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= Self.shortest, text.count <= Self.longest else { return false }
        bytes.removeAll(keepingCapacity: true)
        var plain = 0
        var index = 0
        while index < text.count {
            if let number = Self.phrase(in: text, at: index) {
                appendPlain(text[plain..<index])
                bytes.append(Self.firstPhrase + UInt8(number))
                index += Self.phrases[number].count
                plain = index
                continue
            }
            let end = Self.endOfDigits(in: text, from: index)
            if end - index < Self.fewestDigits {
                index = max(end, index + 1)
                continue
            }
            appendPlain(text[plain..<index])
            appendDigits(text[index..<end])
            index = end
            plain = end
        }
        appendPlain(text[plain...])
        guard bytes.count < text.count else { return false }
        // What cannot be read back exactly is lost, so it is read back before the original is let go.
        return isPacked(text)
    }

    /// The text that was packed; nil when the bytes are no packed text.
    static func unpacked(_ packed: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let length = length(of: packed) else { return nil }
        return [UInt8](unsafeUninitializedCapacity: length) { text, count in
            unpack(packed, into: text)
            count = length
        }
    }

    private func isPacked(_ text: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeBytes { Self.unpacked($0)?.elementsEqual(text) ?? false }
    }

    /// How long the text is; nil when the bytes are no packed text.
    private static func length(of packed: UnsafeRawBufferPointer) -> Int? {
        var (index, length) = (0, 0)
        while index < packed.count {
            let lead = packed[index]
            index += 1
            if lead >= firstPhrase {
                guard Int(lead - firstPhrase) < phrases.count else { return nil }
                length += phrases[Int(lead - firstPhrase)].count
            } else if lead >= firstDigits {
                let count = Int(lead - firstDigits) + fewestDigits
                length += count
                index += (count + 1) / 2
            } else {
                length += Int(lead) + 1
                index += Int(lead) + 1
            }
            guard index <= packed.count, length <= longest else { return nil }
        }
        return length
    }

    /// - Parameter text: has room for what ``length(of:)`` says of these bytes.
    private static func unpack(_ packed: UnsafeRawBufferPointer, into text: UnsafeMutableBufferPointer<UInt8>) {
        var (index, end) = (0, 0)
        let (digits, phrases) = (digits, phrases)
        while index < packed.count {
            let lead = packed[index]
            index += 1
            if lead >= firstPhrase {
                for byte in phrases[Int(lead - firstPhrase)] {
                    text[end] = byte
                    end += 1
                }
            } else if lead >= firstDigits {
                let last = end + Int(lead - firstDigits) + fewestDigits
                while end < last {
                    let pair = packed[index]
                    index += 1
                    text[end] = digits[Int(pair >> 4)]
                    if end + 1 < last { text[end + 1] = digits[Int(pair & 15)] }
                    end += 2
                }
                end = last
            } else {
                for byte in packed[index...index + Int(lead)] {
                    text[end] = byte
                    end += 1
                }
                index += Int(lead) + 1
            }
        }
    }

    // MARK: Pieces

    private mutating func appendPlain(_ text: Slice<UnsafeRawBufferPointer>) {
        var rest = text
        while !rest.isEmpty {
            let part = rest.prefix(Int(Self.firstDigits))
            bytes.append(UInt8(part.count - 1))
            bytes += part
            rest = rest.dropFirst(part.count)
        }
    }

    private mutating func appendDigits(_ text: Slice<UnsafeRawBufferPointer>) {
        bytes.append(Self.firstDigits + UInt8(text.count - Self.fewestDigits))
        var index = text.startIndex
        while index < text.endIndex {
            let upper = Self.values[Int(text[index])] << 4
            let lower = index + 1 < text.endIndex ? Self.values[Int(text[index + 1])] : 0
            bytes.append(upper | lower)
            index += 2
        }
    }

    private static func endOfDigits(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
        let limit = min(text.count, start + mostDigits)
        var index = start
        while index < limit, values[Int(text[index])] < 16 { index += 1 }
        return index
    }

    /// The longest phrase that is there.
    private static func phrase(in text: UnsafeRawBufferPointer, at index: Int) -> Int? {
        let first = text[index]
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "\"") || first == UInt8(ascii: ","),
            let start = text.baseAddress
        else { return nil }
        return byLength.first { number in
            let phrase = phrases[number]
            return phrase[0] == first && phrase.count <= text.count - index
                && memcmp(phrase, start + index, phrase.count) == 0
        }
    }

    // MARK: Tables. They are part of the file's layout: entries are added at the end, and never change.

    private static let digits = Array("0123456789-:.T+Z".utf8)

    private static let phrases: [[UInt8]] = [
        // What sensors and heat pumps say (CONTRACT, with Python's spaces and without).
        "{\"timestamp\": \"", "{\"timestamp\":\"", "\", \"value\": ", "\",\"value\":", "{\"value\": ", "{\"value\":",
        ", \"timestamp\": \"", ",\"timestamp\":\"", "\"}", "{\"status\": \"", "{\"status\":\"",
        // The events of the cloud's log.
        "{\"home\":\"", "\",\"room\":\"", "\",\"timestamp\":\"", ",\"seq\":", ",\"epoch\":\"", "\",\"zone\":\"",
        "\",\"status\":\"", "\",\"reason\":\"",
    ].map { Array($0.utf8) }

    /// The phrases' numbers, those of the longest first.
    private static let byLength = phrases.indices.sorted { phrases[$0].count > phrases[$1].count }

    /// The number of a character in ``digits``; 255 for others.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: .max, count: 256)
        for (number, character) in digits.enumerated() { values[Int(character)] = UInt8(number) }
        return values
    }()

    private static let firstDigits: UInt8 = 128
    private static let firstPhrase: UInt8 = 192
    /// Fewer are shorter as they are: a piece has its lead, and so has what follows it.
    private static let fewestDigits = 2
    private static let mostDigits = 65
    private static let shortest = 8
    /// Longer texts are no readings, and what a damaged row unpacks to stays small.
    private static let longest = 4096
}
