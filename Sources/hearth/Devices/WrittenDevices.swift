import GatewayClient
import Glibc
import Heating
import Machine

/// A file for `devices.d`: the sensors of one room, or one pump.
struct WrittenDevices: Equatable {
    /// Without `.toml`.
    var name: String
    var text: String

    private static let heading = "# Found by hearth devices. It is yours to change: it will not be written again.\n"

    /// One file for each room and each pump that can be written, in the order of their names.
    static func files(for devices: [OfferedDevice]) -> [WrittenDevices] {
        var rooms: [ExactString: [OfferedDevice]] = [:]
        for device in devices where device.isWritable && device.isSensor {
            rooms[ExactString(device.room ?? ""), default: []].append(device)
        }
        let sensors = rooms.sorted { $0.key < $1.key }.map { room, devices in
            WrittenDevices(name: slug(room.text), text: text(devices))
        }
        let pumps = devices.filter { $0.isWritable && !$0.isSensor }.map { pump in
            WrittenDevices(name: "pump-" + slug(pump.name), text: text([pump]))
        }
        return sensors + pumps
    }

    private static func text(_ devices: [OfferedDevice]) -> String {
        heading + devices.map { "\n" + $0.table.joined(separator: "\n") + "\n" }.joined()
    }

    /// The name in letters, digits and `-` that every file system and shell takes.
    private static func slug(_ name: String) -> String {
        let bytes = name.lowercased().utf8.prefix(60).map { byte in
            let isPlain = byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            return isPlain ? byte : UInt8(ascii: "-")
        }
        let slug = String(decoding: bytes, as: UTF8.self)
        return slug.allSatisfy { $0 == "-" } ? "room" : slug
    }

    // MARK: Writing

    /// Writes a new file; one that is there already stays, and this one gets a number.
    /// - Returns: its path.
    func write(in directory: String) throws(Problem) -> String {
        if mkdir(directory, 0o755) != 0, errno != EEXIST { throw Self.problem(directory, errno) }
        for number in 1...1000 {
            let path = "\(directory)/\(name)\(number == 1 ? "" : "-\(number)").toml"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
            if descriptor < 0, errno == EEXIST { continue }
            guard descriptor >= 0 else { throw Self.problem(path, errno) }
            defer { close(descriptor) }
            if let code = Self.fill(descriptor, Array(text.utf8)) {
                unlink(path)
                throw Self.problem(path, code)
            }
            return path
        }
        throw Problem("\(directory) has too many files named \(name)", exitCode: EXIT_FAILURE)
    }

    /// - Returns: what went wrong; nil when all is on the disk.
    private static func fill(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return errno }
        }
        // A daemon that reads half a file would keep its old devices; a power cut must not make it so.
        return fsync(descriptor) == 0 ? nil : errno
    }

    private static func problem(_ path: String, _ code: Int32) -> Problem {
        let advice = [EACCES, EPERM].contains(code) ? "run it with sudo, or name another place with --directory" : nil
        return Problem("\(printable(path)): \(systemErrorText(code))", advice: advice, exitCode: EX_CANTCREAT)
    }
}
