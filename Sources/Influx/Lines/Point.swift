/// One point of a time series, as InfluxDB stores it.
///
/// Measurement, tag set and time are its identity: a second point with the same three overwrites the fields of
/// the first, so writing a point again changes nothing. The order of the tags is not part of the identity.
public struct Point: Sendable {
    /// The measurement, for example `raw_temperature`. Not empty.
    public var measurement: String
    /// Indexed key-value pairs. A tag with an empty value is the same as no tag (see ``LineProtocol``).
    public var tags: [(String, String)]
    /// At least one value, each under its own key.
    public var fields: [(String, FieldValue)]
    /// Nanoseconds since the Unix epoch, UTC: the time of the event, never of its arrival.
    public var time: Int64

    public init(measurement: String, tags: [(String, String)], fields: [(String, FieldValue)], time: Int64) {
        self.measurement = measurement
        self.tags = tags
        self.fields = fields
        self.time = time
    }
}

/// The value of one field. InfluxDB fixes a field's type with the first value a shard sees and refuses others.
public enum FieldValue: Equatable, Sendable {
    /// A finite number. NaN and the infinities have no line protocol form and are refused by the encoder.
    case float(Double)
    /// A 64-bit signed integer, written with the suffix `i`.
    case integer(Int64)
    case boolean(Bool)
    /// Any text, newlines included.
    case string(String)
}
