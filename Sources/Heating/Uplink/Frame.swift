/// Many journal records in one message on `<home>/frame`, used while a backlog drains.
///
/// Version 1, all integers unsigned LEB128 varints unless said otherwise:
///
///     "HF" version(1 byte) flags(1 byte: 1 if the body is compressed, otherwise 0)
///     the body, or its length and the zlib stream (RFC 1950) that it becomes
///     CRC-32C of everything before it (4 bytes, little-endian)
///
/// The body:
///
///     epoch: length, UTF-8
///     topics: count, then each: length, UTF-8
///     records: count, then each:
///         sequence, as the difference to the record before (to 0 for the first); at least 1
///         topic, as an index into topics
///         payload: shared prefix length, shared suffix length, middle length, middle,
///                  against the payload before it on the same topic (empty for the first)
///         attributes: length, bytes
public struct Frame: Equatable, Sendable {
    public static let version: UInt8 = 1
    /// Most records that a frame may carry.
    public static let recordLimit = 10_000
    /// Largest default size of all payloads, attributes and topics after decoding.
    public static let expandedLimit = 16 << 20
    static let magic: [UInt8] = Array("HF".utf8)
    static let longestTopic = 512
    static let isCompressed: UInt8 = 1

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

/// What makes a frame's body smaller and whole again. A value, since zlib is C, which this module does without.
public struct FrameCompression: Sendable {
    /// nil when it could not be done.
    public var compress: @Sendable (_ bytes: [UInt8]) -> [UInt8]?
    /// nil when the bytes do not stand for exactly `count` others; allocates at most so many, from hostile input too.
    public var decompress: @Sendable (_ bytes: [UInt8], _ count: Int) -> [UInt8]?

    public init(
        compress: @escaping @Sendable ([UInt8]) -> [UInt8]?,
        decompress: @escaping @Sendable ([UInt8], Int) -> [UInt8]?
    ) {
        self.compress = compress
        self.decompress = decompress
    }
}

/// Why a frame was refused. The raw value is the label under which it is counted.
public enum FrameError: String, Error, CaseIterable, Sendable {
    case notAFrame = "not_a_frame"
    case unsupportedVersion = "unsupported_version"
    /// A flag that this version does not know, or a compression that the reader does not have.
    case unsupportedFlags = "unsupported_flags"
    case checksum
    /// What is compressed is not what it says.
    case badCompression = "bad_compression"
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
