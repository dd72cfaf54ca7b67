extension LineProtocol {
    /// The measurement of an encoded line, escaped as it is there.
    public static func measurement(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        prefix(of: line) { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }
    }

    /// Measurement and tags of an encoded line, escaped as they are there.
    public static func seriesKey(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        prefix(of: line) { $0 == UInt8(ascii: " ") }
    }

    private static func prefix(of line: ArraySlice<UInt8>, until isEnd: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var last: UInt8 = 0
        for index in line.indices {
            if isEnd(line[index]), last != UInt8(ascii: "\\") { return line[..<index] }
            last = line[index]
        }
        return line
    }
}
