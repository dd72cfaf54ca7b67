import Machine

/// The topics that have a number, so that a row stores two bytes instead of a name. All of them are in memory.
///
/// Topics come from outside, so there are at most ``maximum`` of them; further ones are stored in the row itself.
struct Topics {
    static let maximum = 1024
    static let longest = 256

    struct Topic {
        let name: String
        /// A checksum that has consumed the name. It starts each row's checksum: a damaged name makes its rows invalid
        /// instead of sending them to another room.
        let checksum: CRC32C

        init(name: String) {
            self.name = name
            var checksum = CRC32C()
            checksum.update(name)
            self.checksum = checksum
        }
    }

    private var numbers: [ExactName: Int] = [:]
    /// Indexed by number; entry 0 and gaps are nil.
    private var topics: [Topic?] = [nil]

    var count: Int { topics.count - 1 }

    func number(of name: String) -> Int? { numbers[ExactName(name)] }

    subscript(number: Int64) -> Topic? {
        number > 0 && number < topics.count ? topics[Int(number)] : nil
    }

    /// The number that a new topic would get; nil when it has to be stored in the row.
    func nextNumber(for name: String) -> Int? {
        topics.count <= Self.maximum && name.utf8.count <= Self.longest ? topics.count : nil
    }

    mutating func add(_ name: String, number: Int) {
        guard number > 0, number <= Self.maximum else { return }
        while topics.count <= number { topics.append(nil) }
        topics[number] = Topic(name: name)
        numbers[ExactName(name)] = number
    }

    /// Forgets topics above `count`, whose transaction failed.
    mutating func truncate(to count: Int) {
        while self.count > count {
            if let topic = topics.removeLast() { numbers[ExactName(topic.name)] = nil }
        }
    }
}
