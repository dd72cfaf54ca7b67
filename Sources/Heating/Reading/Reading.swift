/// One sensor reading: what was written, exactly, and what it means.
public struct Reading: Equatable, Sendable {
    public var time: DeviceTime
    /// The number as the sensor wrote it, without quotes if it was a string. Of a device that is not the black box what
    /// JSON does not have is put right (`,` for `.`, a `+`, zeros in front).
    public var valueText: String
    /// The nearest double to `valueText`; in °C, unless a device says otherwise (``DeviceReading/unit``). Always finite.
    public var value: Double
}

/// A reading as the heating needs it: a value is enough.
///
/// A sensor whose clock is broken measures all the same, and a frosty room must be heated by what it says.
public struct LiveReading: Equatable, Sendable {
    /// In °C. Always finite.
    public var value: Double
    /// When the sensor says it measured, text without a zone taken for UTC; nil when it does not say so readably.
    public var timestamp: Timestamp?

    public init(value: Double, timestamp: Timestamp? = nil) {
        self.value = value
        self.timestamp = timestamp
    }
}

/// Why a payload was set aside, or passed over. The raw value is the label under which it is counted; labels do not change.
public enum PayloadError: String, Error, CaseIterable, Sendable {
    /// Longer than the limit.
    case oversized
    case invalidUTF8 = "invalid_utf8"
    /// Not one JSON value, or something after it.
    case notJSON = "not_json"
    case notAnObject = "not_an_object"
    /// A key that we read appears twice; readers would disagree on which one counts.
    case duplicateKey = "duplicate_key"
    case missingTimestamp = "missing_timestamp"
    /// Not a string, not an ISO 8601 date-time, or outside 1970 to 2262.
    case badTimestamp = "bad_timestamp"
    case missingValue = "missing_value"
    /// Not a number and not a string that holds one.
    case badValue = "bad_value"
    /// NaN, an infinity, or too large for a double.
    case notFinite = "not_finite"
    /// A command without `status`.
    case missingStatus = "missing_status"
    /// A command's `status` is not 0 or 1.
    case badStatus = "bad_status"
    /// A command's `for` is not a positive ISO 8601 duration of fixed length.
    case badDuration = "bad_duration"
    // Of devices that are not the black box.
    case empty
    /// `null`: the device has the sensor and no reading of it.
    case nullValue = "null_value"
    /// `unavailable`, `unknown`, `None` …
    case unavailable
    /// The value is an object or an array.
    case notANumber = "not_a_number"
    /// The rule's `unit` leads to nothing, or to no unit.
    case unknownUnit = "unknown_unit"
    /// Colder than the absolute zero.
    case impossible = "impossible_value"
    /// The name on the wire cannot be a room.
    case badRoom = "bad_room"
    /// Nothing on the wire names the sensor.
    case noName = "no_name"
    /// Kept by the broker from earlier, and the rule wants none such.
    case retained
    /// The sensor is not in `rooms`, or is there as no room.
    case unlisted
}
