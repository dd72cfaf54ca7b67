import Glibc
import Heating
import MQTT

/// The filters that the lane's session at the home broker has, those of earlier configurations among them: the session
/// outlives this process, and a filter that left the file would go on bringing messages. They are kept in a file beside the
/// journal; without it a filter too many is only a message more, never one less.
struct SessionFilters {
    private static let sizeLimit = 1 << 20

    private let path: String
    private var filters: [String]
    private var wanted: [String] = []
    /// The broker was asked to take the surplus back.
    private var isTakingBack = false

    init(beside journal: String) {
        path = journal + ".filters"
        filters = Self.read(path)
    }

    /// What is to be taken back.
    var surplus: [String] {
        let wanted = Set(wanted.map(ExactString.init))
        return filters.filter { !wanted.contains(ExactString($0)) }
    }

    /// The filters of this file are about to be asked for. Written before that: one that nobody remembers is never taken back.
    mutating func connected(sessionPresent: Bool, asking filters: [String]) {
        // What was asked for before went with the session.
        if !sessionPresent { self.filters = [] }
        (wanted, isTakingBack) = (filters, false)
        let known = Set(self.filters.map(ExactString.init))
        let added = filters.filter { !known.contains(ExactString($0)) }
        guard !added.isEmpty else { return }
        self.filters += added
        write()
    }

    /// To be called when the file's own filters stand: one that takes an old one's place leaves no gap.
    mutating func takeBack(on link: Link) {
        guard !isTakingBack, !surplus.isEmpty else { return }
        isTakingBack = (try? link.unsubscribe(surplus)) != nil
    }

    mutating func tookBack() {
        isTakingBack = false
        filters = wanted
        write()
    }

    // MARK: The file

    private static func read(_ path: String) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while bytes.count < sizeLimit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return ((try? JSON.parse(bytes))?.array ?? []).compactMap(\.string)
    }

    /// A new file in the old one's place, so that a power cut leaves one of the two.
    private func write() {
        let bytes = JSON.array(filters.map { .string($0) }).bytes
        let next = path + ".new"
        let descriptor = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let count = Glibc.write(descriptor, bytes, bytes.count)
        let isWhole = count == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        if isWhole { rename(next, path) } else { unlink(next) }
    }
}
