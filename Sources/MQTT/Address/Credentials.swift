import Glibc
import Machine

/// Reads a password from its file, without one trailing line end and without the mark that some editors put before UTF-8.
///
/// An empty or unusable file is an error: nothing may turn a configured password into an anonymous connection.
func readPassword(from path: String) throws(Disconnection) -> String {
    var bytes = try readFile(path, purpose: "password file", limit: 65_536)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else {
        throw Disconnection(.configuration, "the password file \(path) is empty: write the password into it")
    }
    // The C library takes a C string, and MQTT would accept any bytes; a NUL would cut the password silently.
    guard !bytes.contains(0), let password = String(validating: bytes, as: UTF8.self) else {
        throw Disconnection(.configuration, "the password file \(path) is not text: it must hold the password as UTF-8")
    }
    return password
}

/// Makes sure that a file can be read now, so that the error names it.
func requireReadable(_ path: String, purpose: String) throws(Disconnection) {
    _ = try readFile(path, purpose: purpose, limit: 1 << 20)
}

/// The bytes of a small file.
/// - Parameter purpose: what it is, for the error.
/// - Throws: with what to do when it cannot be read or has more than `limit` bytes.
public func readFile(_ path: String, purpose: String, limit: Int) throws(Disconnection) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(path, purpose, errno) }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while contents.count <= limit {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 {
            let error = errno
            if error == EINTR { continue }
            throw unreadable(path, purpose, error)
        }
        if count == 0 { return contents }
        contents.append(contentsOf: chunk[..<count])
    }
    throw Disconnection(.configuration, "the \(purpose) \(path) is larger than \(limit) bytes: is it the right file?")
}

private func unreadable(_ path: String, _ purpose: String, _ error: Int32) -> Disconnection {
    let hint = error == EACCES ? "make it readable for this service's user" : "check the path"
    return Disconnection(.configuration, "cannot read the \(purpose) \(path): \(systemErrorText(error)); \(hint)")
}
