import EventLog
import Heating
import Synchronization

/// P1's account of what became of each home's records. The pipeline notes, ``StoredPublisher`` tells the homes.
///
/// The group's commits follow what was published, so that after a kill everything is read again that no retained message
/// has; the points are the same ones then. A broker that cannot be reached holds the commits up for a minute, and the
/// points never.
final class StoredBook: Sendable {
    /// Homes that are accounted for; names come from outside. Others' audits say that the cloud does not tell.
    static let homeLimit = 65_536
    /// Between the beginnings of two rounds of publications.
    static let roundNanoseconds: Int64 = 10_000_000_000
    /// How long commits wait for the broker.
    static let patienceNanoseconds: Int64 = 60_000_000_000

    fileprivate struct Contents {
        var homes: [HomeID: StoredSummary] = [:]
        var changed: Set<HomeID> = []
        /// How far the work has got, and how far of it was published.
        var reached: [TopicPartition: Int64] = [:]
        var covered: [TopicPartition: Int64] = [:]
        /// Boot time since which something waits to be covered.
        var waitingSince: Int64?
        var round: Round?
        var nextRound: Int64 = 0
    }

    fileprivate struct Round {
        var reached: [TopicPartition: Int64]
        var homes: [HomeID]
        var open = 0
    }

    private let contents = Mutex(Contents())

    // MARK: For the pipeline

    /// Takes note of a batch that is dealt with.
    /// - Parameter reached: where each partition goes on.
    func note(
        _ fates: [StoredAccount.Fate: [OriginTable.Journal: SequenceRanges]], reached: [TopicPartition: Int64],
        now: Int64
    ) {
        contents.withLock { contents in
            for (fate, journals) in fates {
                for (journal, ranges) in journals { contents.add(ranges, fate, of: journal) }
            }
            for (position, next) in reached { contents.reached[position] = next }
            if contents.waitingSince == nil, contents.reached != contents.covered { contents.waitingSince = now }
        }
    }

    /// These records, held until now, are points or dead letters by now.
    func settle(_ records: [RecordName], _ fate: StoredAccount.Fate) {
        contents.withLock { contents in
            for record in records {
                contents.add(SequenceRanges([record.sequence...record.sequence]), fate, of: record.journal)
            }
        }
    }

    /// How far the group may commit.
    func commitable(now: Int64) -> [TopicPartition: Int64] {
        contents.withLock { contents in
            guard let since = contents.waitingSince, now - since > Self.patienceNanoseconds else {
                return contents.covered
            }
            return contents.reached
        }
    }

    /// Where each partition goes on.
    var reached: [TopicPartition: Int64] { contents.withLock { $0.reached } }

    /// Another reader has these partitions now.
    func revoked(_ positions: [TopicPartition]) {
        contents.withLock { contents in
            for position in positions { (contents.reached[position], contents.covered[position]) = (nil, nil) }
            for position in positions { contents.round?.reached[position] = nil }
        }
    }

    // MARK: For the publisher

    /// Adds what somebody has published. What it lacked is published in the next round.
    func merge(_ summary: StoredSummary, of home: HomeID) {
        contents.withLock { contents in
            guard contents.homes[home] != nil || contents.homes.count < Self.homeLimit else { return }
            // Not in the table meanwhile, so that nothing is copied.
            var known = contents.homes.removeValue(forKey: home) ?? StoredSummary()
            if known.merge(summary) { contents.changed.insert(home) }
            contents.homes[home] = known
        }
    }

    /// The next home to tell, with its account; begins a round when it is time. nil: nothing to do now.
    func next(now: Int64) -> (home: HomeID, summary: StoredSummary)? {
        contents.withLock { contents in
            if contents.round == nil, now >= contents.nextRound,
                !contents.changed.isEmpty || contents.waitingSince != nil
            {
                contents.round = Round(reached: contents.reached, homes: Array(contents.changed))
                contents.changed = []
                contents.nextRound = now + Self.roundNanoseconds
            }
            guard let home = contents.round?.homes.popLast() else {
                contents.endRound(now)
                return nil
            }
            contents.round?.open += 1
            return (home, contents.homes[home] ?? StoredSummary())
        }
    }

    /// It was told, or the broker will never take it.
    func told(now: Int64) {
        contents.withLock { contents in
            contents.round?.open -= 1
            contents.endRound(now)
        }
    }

    /// It was not: the connection is gone.
    func untold(_ homes: [HomeID]) {
        contents.withLock { contents in
            contents.round?.open -= homes.count
            contents.round?.homes += homes
        }
    }
}

extension StoredBook.Contents {
    fileprivate mutating func add(_ ranges: SequenceRanges, _ fate: StoredAccount.Fate, of journal: OriginTable.Journal)
    {
        guard !ranges.isEmpty, homes[journal.home] != nil || homes.count < StoredBook.homeLimit else { return }
        var summary = homes.removeValue(forKey: journal.home) ?? StoredSummary()
        summary.add(ranges, fate, of: journal.epoch.text)
        homes[journal.home] = summary
        changed.insert(journal.home)
    }

    /// Everything that had been noted when the round began is published.
    fileprivate mutating func endRound(_ now: Int64) {
        guard let done = round, done.homes.isEmpty, done.open == 0 else { return }
        for (position, next) in done.reached { covered[position] = next }
        waitingSince = reached == covered ? nil : now
        round = nil
    }
}
