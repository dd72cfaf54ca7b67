import Glibc

/// A line on standard output, at once: whoever reads a pipe does not want to wait for a buffer to fill.
func tell(_ line: String) {
    put(line + "\n", to: STDOUT_FILENO)
}

/// A line on standard error.
func complain(_ line: String) {
    put("hearth-sim: \(line)\n", to: STDERR_FILENO)
}

private func put(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    // Nobody is left to be told when this fails.
    _ = write(descriptor, bytes, bytes.count)
}

/// One digit behind the point, without Foundation's formatting.
func oneDecimal(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.description }
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}

/// A connection's name that no other one has. The process's number alone is no such name: every container's is 1, and
/// clients of one name close each other's connections for ever.
func clientID(_ purpose: String) -> String {
    "hearth-sim-\(purpose)-\(getpid())-\(String(UInt32.random(in: 0...UInt32.max), radix: 16))"
}

/// Those of the named environment variables that are set.
func environment(_ names: [String]) -> [String: String] {
    var values: [String: String] = [:]
    for name in names {
        if let value = getenv(name) { values[name] = String(cString: value) }
    }
    return values
}

/// Bytes on one line: printable ASCII as it is, everything else, and the backslash, as `\xNN`. Reversible, so two
/// escaped texts are equal exactly when the bytes are.
func escaped(_ bytes: some Sequence<UInt8>) -> String {
    let hexadecimal = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") {
            text.append(byte)
        } else {
            text += [
                UInt8(ascii: "\\"), UInt8(ascii: "x"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)],
            ]
        }
    }
    return String(decoding: text, as: UTF8.self)
}
