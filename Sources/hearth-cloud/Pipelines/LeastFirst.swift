/// Places in a table, each with a key; the least key comes first. A binary heap: to insert and to take the first cost by the
/// logarithm of how many there are. A place's key changes by being taken and inserted again.
struct LeastFirst<Key: Comparable> {
    private var entries: [(key: Key, place: Int)] = []

    /// Of places with the same key, any.
    var first: (key: Key, place: Int)? { entries.first }

    mutating func insert(_ place: Int, at key: Key) {
        entries.append((key, place))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].key < entries[parent].key else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var parent = 0
        while let least = leastChild(of: parent), entries[least].key < entries[parent].key {
            entries.swapAt(least, parent)
            parent = least
        }
    }

    private func leastChild(of parent: Int) -> Int? {
        let left = 2 * parent + 1
        guard left < entries.count else { return nil }
        return left + 1 < entries.count && entries[left + 1].key < entries[left].key ? left + 1 : left
    }
}
