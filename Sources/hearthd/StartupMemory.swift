import Glibc

/// What starting has left in memory and running does not need: most of the resident memory are the program's and its
/// libraries' files, read to link them, to parse arguments and configuration, and to start the runtime.
enum StartupMemory {
    /// Gives it back to the kernel, which fetches from the page cache or the file what is needed again after all. Takes
    /// about a millisecond; other threads go on.
    static func release() {
        for range in unchanged(smaps()) {
            // Unchanged pages of a file are only unmapped by it, madvise(2); failing means that they stay.
            _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
    }

    /// The ranges that are mapped from files, cannot be written, and have no page that ever was (as those have that the
    /// linker writes to and then protects): nothing in them can be lost.
    ///
    /// - Parameter smaps: the text of `/proc/self/smaps`, proc_pid_smaps(5).
    static func unchanged(_ smaps: String) -> [Range<UInt>] {
        var ranges: [Range<UInt>] = []
        var mapping: Range<UInt>?
        for line in smaps.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            if fields.count >= 5, fields[0].contains("-"), !fields[0].hasSuffix(":") {
                mapping = fields.count >= 6 && fields[5].hasPrefix("/") ? file(fields[0], mode: fields[1]) : nil
            } else if fields.count == 3, fields[0] == "Anonymous:", fields[1] == "0", let range = mapping {
                ranges.append(range)
            }
        }
        return ranges
    }

    private static func file(_ bounds: Substring, mode: Substring) -> Range<UInt>? {
        let ends = bounds.split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard mode == "r-xp" || mode == "r--p", ends.count == 2, ends[0] < ends[1] else { return nil }
        return ends[0]..<ends[1]
    }

    /// Empty when it cannot be read.
    private static func smaps() -> String {
        let descriptor = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        return String(decoding: text, as: UTF8.self)
    }
}
