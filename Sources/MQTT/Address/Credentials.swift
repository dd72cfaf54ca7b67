import Glibc
import Machine

/// Reads a password from its file, without one trailing line end and without the mark that some editors put before UTF-8.
///
/// An empty or unusable file is an error: nothing may turn a configured password into an anonymous connection.
func readPassword(from path: String) throws(Disconnection) -> String {
    var bytes = try readFile(path, purpose: DisconnectionSentence.passwordFile.rawValue, limit: 65_536)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else {
        throw Disconnection(.configuration, .emptyPassword, ["file": .text(path)])
    }
    // The C library takes a C string, and MQTT would accept any bytes; a NUL would cut the password silently.
    guard !bytes.contains(0), let password = String(validating: bytes, as: UTF8.self) else {
        throw Disconnection(.configuration, .passwordNotText, ["file": .text(path)])
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
    throw Disconnection(
        .configuration, .fileTooLarge, ["purpose": value(purpose), "file": .text(path), "count": "\(limit)"])
}

private func unreadable(_ path: String, _ purpose: String, _ error: Int32) -> Disconnection {
    Disconnection(
        .configuration, error == EACCES ? .fileForbidden : .fileUnreadable,
        ["purpose": value(purpose), "file": .text(path), "error": .text(systemErrorText(error))])
}

/// What a file is for, as a sentence where there is one.
private func value(_ purpose: String) -> Disconnection.Value {
    DisconnectionSentence(rawValue: purpose).map { .sentence($0) } ?? .text(purpose)
}
