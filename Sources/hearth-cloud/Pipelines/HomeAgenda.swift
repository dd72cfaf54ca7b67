import EventLog
import Heating

/// The homes of a ``HomeTable`` with what they are waited for: so that a batch costs by the homes that it touches, not by
/// those that there are.
///
/// Each home is in each queue of its partition at most once, with a key that is right or too low: whoever comes first is
/// asked again. Too low is enough, because what a home waits for only moves up while nothing is read from it twice.
struct HomeAgenda {
    private struct Queues {
        /// By when a changed window will have settled.
        var settling = LeastFirst<Instant>()
        /// By the first place in the log that the home needs.
        var needing = LeastFirst<Int64>()
    }

    private var queues: [TopicPartition: Queues] = [:]

    var positions: [TopicPartition] { Array(queues.keys) }

    /// To be called when a reading was added to a home, or the home has got another index.
    mutating func touch(_ index: Int, in homes: inout HomeTable) {
        if !homes[index].isSettling, let due = homes[index].windows.nextSettled {
            homes[index].isSettling = true
            queues[homes[index].position, default: Queues()].settling.insert(index, at: due)
        }
        if !homes[index].isNeeding, let first = homes[index].windows.firstNeeded() {
            homes[index].isNeeding = true
            queues[homes[index].position, default: Queues()].needing.insert(index, at: first)
        }
    }

    /// The homes of a partition with a window that may have settled, in no order. Each is to be touched once its windows
    /// are taken.
    mutating func takeSettled(_ position: TopicPartition, now: Instant, in homes: inout HomeTable) -> [Int] {
        var settled: [Int] = []
        while let first = queues[position]?.settling.first, first.key <= now {
            queues[position]?.settling.removeFirst()
            homes[first.place].isSettling = false
            settled.append(first.place)
        }
        return settled
    }

    /// The first place in the log that a home of a partition needs, of those that something has changed within a time. The
    /// others are forgotten until they are touched.
    mutating func firstNeeded(
        _ position: TopicPartition, changedWithin limit: Duration, now: Instant, in homes: inout HomeTable
    ) -> Int64? {
        while let (key, index) = queues[position]?.needing.first {
            let isRecent = now - homes[index].windows.lastChange < limit
            let first = isRecent ? homes[index].windows.firstNeeded() : nil
            if let first, first <= key { return first }
            queues[position]?.needing.removeFirst()
            homes[index].isNeeding = first != nil
            if let first { queues[position]?.needing.insert(index, at: first) }
        }
        return nil
    }

    /// Begins anew after homes were removed.
    mutating func rebuild(for homes: inout HomeTable) {
        queues = [:]
        for index in homes.indices {
            (homes[index].isSettling, homes[index].isNeeding) = (false, false)
            touch(index, in: &homes)
        }
    }
}
