import Testing

@testable import hearth_sim

/// The expected texts were printed by Python 3.11.
@Suite struct PythonTextTests {
    @Test(
        arguments: [
            (10.77887475165167, "10.77887475165167"), (100.0, "100.0"), (0.1, "0.1"), (20.0, "20.0"), (-12.5, "-12.5"),
            (1.0 / 3, "0.3333333333333333"), (-0.0, "-0.0"), (0.0001, "0.0001"), (0.00001, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (.leastNonzeroMagnitude, "5e-324"), (9_007_199_254_740_994, "9007199254740994.0"),
            (9_999_999_999_999_998, "9999999999999998.0"),
            (1e16, "1e+16"), (123_456_789_012_345_680, "1.2345678901234568e+17"), (1e22, "1e+22"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (-1e17, "-1e+17"),
        ] as [(Double, String)])
    func `a float is written as Python's repr`(value: Double, expected: String) {
        #expect(PythonText.repr(value) == expected)
    }

    @Test(
        arguments: [
            (1_795_428_000_000_000, "2026-11-23T10:00:00"), (1_795_428_000_000_001, "2026-11-23T10:00:00.000001"),
            (1_795_428_000_123_456, "2026-11-23T10:00:00.123456"),
            (1_795_428_000_100_000, "2026-11-23T10:00:00.100000"),
            (1_835_481_599_999_999, "2028-02-29T23:59:59.999999"), (0, "1970-01-01T00:00:00"),
            (-1, "1969-12-31T23:59:59.999999"), (-1_000_000, "1969-12-31T23:59:59"),
        ] as [(Int64, String)])
    func `a moment is written as Python's isoformat`(microseconds: Int64, expected: String) {
        #expect(PythonText.isoformat(microseconds: microseconds) == expected)
    }

    @Test func `the remembered second does not leak into the next one`() {
        var format = ISOFormat()
        let moments: [Int64] = [999_999, 1_000_000, 1_000_001, 500_000]
        let texts = moments.map {
            String(decoding: format.bytes(microseconds: $0), as: UTF8.self)
        }
        #expect(
            texts == [
                "1970-01-01T00:00:00.999999", "1970-01-01T00:00:01", "1970-01-01T00:00:01.000001",
                "1970-01-01T00:00:00.500000",
            ])
    }

    @Test func `a payload is what json dumps writes`() {
        let payload = PythonText.payload(microseconds: 1_795_428_000_123_456, value: PythonText.repr(10.77887475165167))
        #expect(
            String(decoding: payload, as: UTF8.self)
                == #"{"timestamp": "2026-11-23T10:00:00.123456", "value": 10.77887475165167}"#)
    }
}
