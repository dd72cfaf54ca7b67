/// Many journal records in one message on `<home>/frame`, used while a backlog drains.
///
/// Version 1, all integers unsigned LEB128 varints unless said otherwise:
///
///     "HF" version(1 byte) flags(1 byte, 0; reserved for compression)
///     epoch: length, UTF-8
///     topics: count, then each: length, UTF-8
///     records: count, then each:
///         sequence, as the difference to the record before (to 0 for the first); at least 1
///         topic, as an index into topics
///         payload: shared prefix length, shared suffix length, middle length, middle,
///                  against the payload before it on the same topic (empty for the first)
///         attributes: length, bytes
///     CRC-32C of everything before it (4 bytes, little-endian)
public struct Frame: Equatable, Sendable {
    public static let version: UInt8 = 1
    /// Most records that a frame may carry.
    public static let recordLimit = 10_000
    /// Largest default size of all payloads, attributes and topics after decoding.
    public static let expandedLimit = 16 << 20
    static let magic: [UInt8] = Array("HF".utf8)
    static let longestTopic = 512

    public struct Record: Equatable, Sendable {
        public var sequence: Int64
        /// The home broker's topic, `office/temperature`.
        public var topic: String
        /// The bytes as they arrived, exactly.
        public var payload: [UInt8]
        /// Opaque to the frame.
        public var attributes: [UInt8]

        public init(sequence: Int64, topic: String, payload: [UInt8], attributes: [UInt8] = []) {
            self.sequence = sequence
            self.topic = topic
            self.payload = payload
            self.attributes = attributes
        }
    }

    /// The journal's epoch: sequences are unique within it.
    public var epoch: String
    /// In order of strictly increasing, positive sequences.
    public var records: [Record]

    public init(epoch: String, records: [Record]) {
        self.epoch = epoch
        self.records = records
    }
}

/// Why a frame was refused. The raw value is the label under which it is counted.
public enum FrameError: String, Error, CaseIterable, Sendable {
    case notAFrame = "not_a_frame"
    case unsupportedVersion = "unsupported_version"
    /// A flag that this version does not know.
    case unsupportedFlags = "unsupported_flags"
    case checksum
    case truncated
    case trailingBytes = "trailing_bytes"
    /// A varint longer than 63 bits.
    case badNumber = "bad_number"
    case badEpoch = "bad_epoch"
    case badTopic = "bad_topic"
    /// Not increasing, or beyond `Int64`.
    case badSequence = "bad_sequence"
    /// Shares more with the payload before it than that has.
    case badPayload = "bad_payload"
    case tooManyRecords = "too_many_records"
    /// The decoded records would exceed the limit.
    case tooLarge = "too_large"
}
