/// What the event log has of one journal: published by ingest on `<home>/gateway/ack`, after the log confirmed.
///
/// `{"epoch": "…", "ranges": [[from, to], …]}`. The epoch names the journal file; sequences of another file mean
/// nothing here. Arrives late, twice and in any order by nature.
public struct Acknowledgement: Equatable, Sendable {
    public static let payloadLimit = 256 * 1024
    public static let rangeLimit = 10_000
    static let longestEpoch = 64

    public var epoch: String
    public var ranges: [ClosedRange<Int64>]

    public init(epoch: String, ranges: [ClosedRange<Int64>]) {
        self.epoch = epoch
        self.ranges = ranges
    }

    /// Reads a payload from the network. Unknown keys are ignored; the ranges may overlap and be in any order.
    public init(payload: some Collection<UInt8>) throws(AcknowledgementError) {
        guard payload.count <= Self.payloadLimit else { throw .oversized }
        guard let json = try? JSON.parse(payload) else { throw .notJSON }
        guard let epoch = json["epoch"]?.string, !epoch.isEmpty, epoch.utf8.count <= Self.longestEpoch else {
            throw .badEpoch
        }
        guard let elements = json["ranges"]?.array else { throw .badRanges }
        guard elements.count <= Self.rangeLimit else { throw .tooManyRanges }
        self.epoch = epoch
        ranges = []
        ranges.reserveCapacity(elements.count)
        for element in elements {
            guard let pair = element.array, pair.count == 2, let low = pair[0].int, let high = pair[1].int,
                0 <= low, low <= high
            else { throw .badRanges }
            ranges.append(low...high)
        }
    }

    public var payload: [UInt8] {
        let list = ranges.map { "[\($0.lowerBound), \($0.upperBound)]" }.joined(separator: ", ")
        return Array("{\"epoch\": \(JSON(epoch).serialized()), \"ranges\": [\(list)]}".utf8)
    }
}

/// Why an acknowledgement was ignored. The raw value is the label under which it is counted.
public enum AcknowledgementError: String, Error, CaseIterable, Sendable {
    case oversized
    case notJSON = "not_json"
    case badEpoch = "bad_epoch"
    case badRanges = "bad_ranges"
    case tooManyRanges = "too_many_ranges"
}
