import Glibc

/// What starting has left in memory and running does not need: three fifths of the resident memory are program text, most
/// of it of the configuration's parser, the argument parser and the runtime's start.
enum StartupMemory {
    /// Gives it back to the kernel, which fetches from the page cache or the file what is run again after all. Takes
    /// about a millisecond; other threads go on.
    static func release() {
        for range in programText(maps()) {
            // Unchanged pages of a file are only unmapped by it, madvise(2); failing means that they stay.
            _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
    }

    /// The ranges that are mapped from files to be run, and cannot be written: nothing in them can be lost.
    ///
    /// - Parameter maps: the text of `/proc/self/maps`, proc_pid_maps(5).
    static func programText(_ maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }).hasPrefix("/") else {
                return nil
            }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            return bounds.count == 2 && bounds[0] < bounds[1] ? bounds[0]..<bounds[1] : nil
        }
    }

    /// Empty when it cannot be read.
    private static func maps() -> String {
        let descriptor = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        return String(decoding: text, as: UTF8.self)
    }
}
