extension UplinkState {
    /// A connection stands. `sendMaximum`: how many unanswered publications the broker takes (its Receive Maximum).
    public mutating func connected(sendMaximum: Int, now: Instant) {
        link = Link(
            sendMaximum: sendMaximum, silentSince: now, probeDelay: settings.resendAfter,
            probeAt: now + settings.resendAfter)
        isConnected = true
        position = lowWatermark
    }

    /// The connection is gone, and with it every flight: their packet ids mean nothing any more.
    ///
    /// - Parameters:
    ///   - isTooLarge: the broker said that something was too large for it.
    ///   - isClosed: the broker, or the network, closed the connection without a word. Some brokers do so for the size.
    public mutating func disconnected(isTooLarge: Bool = false, isClosed: Bool = false) {
        let open = link.unanswered.values.compactMap { link.flights.flight(covering: $0) }
        if let refused = link.refused {
            // Nothing to guess. An eighth, since every further question costs a connection.
            closes = 0
            if refused.rows > 1 { refusedFrame = RefusedFrame(range: refused.range, rows: refused.rows / 8) }
        } else if let largest = open.map(\.rows).max() {
            closes = isClosed && largest > 1 ? closes + 1 : 0
            // One at a time, so that an answer is read before the next message finds the connection closed.
            if closes == 2 { suspectThrough = max(suspectThrough, open.map(\.range.upperBound).max() ?? 0) }
            if largest > 1, isTooLarge || closes >= 3 { frameTooLarge(rows: largest) }
            if largest == 1, isTooLarge { suspect(open) }
        }
        link = Link()
        isConnected = false
    }

    /// One of these messages of one row each was too large for the broker.
    private mutating func suspect(_ flights: [Flight]) {
        if let only = flights.first, flights.count == 1 {
            oversized.append(only.range)
        } else {
            suspectThrough = flights.map(\.range.upperBound).max() ?? 0
        }
    }

    /// A frame of so many records is larger than the broker takes.
    public mutating func frameTooLarge(rows: Int) {
        frameRows = max(1, min(frameRows, rows / 2))
        (framesTaken, closes) = (0, 0)
    }

    /// Records differ in size: what was too many once is tried again, a little at a time and not often.
    private mutating func frameTaken(rows: Int) {
        closes = 0
        guard frameRows < settings.frameRecords, rows >= frameRows else { return }
        framesTaken += 1
        guard framesTaken >= 100 else { return }
        (frameRows, framesTaken) = (frameRows + max(1, frameRows / 8), 0)
    }

    /// The journal's last sequence, after an append.
    public mutating func newest(_ sequence: Int64) {
        newest = max(newest, sequence)
    }

    /// The journal has dropped everything up to here: it will neither be sent nor confirmed.
    public mutating func floor(_ sequence: Int64) {
        guard sequence > lowWatermark else { return }
        let dropped = (lowWatermark + 1)...sequence
        newest(sequence)
        giveUp(dropped)
        lowWatermark = sequence
        finishFlights(touching: dropped)
        advance()
    }

    /// A message was published.
    ///
    /// - Parameters:
    ///   - sequences: the rows in it, ascending.
    ///   - scanned: the run of the journal that was read for it, beginning where the batch (or the message before)
    ///     left off. What is in it and not in `sequences` does not exist and counts as confirmed.
    ///   - flight: the packet id.
    ///   - isCommand: it is one heat-pump command.
    public mutating func sent(
        _ sequences: [Int64], scanned: ClosedRange<Int64>, flight id: Int32, isCommand: Bool = false, now: Instant
    ) {
        for gap in SequenceRanges(sequences.map { $0...$0 }).gaps(in: scanned) { skipped(gap) }
        guard isConnected, let last = sequences.last else { return }
        counters.sent += sequences.count
        counters.resent += sequences.count { $0 <= sentThrough }
        sentThrough = max(sentThrough, last)
        bucket.take(sequences.count, now: now)
        if link.unanswered.isEmpty { link.silentSince = now }
        if let old = link.flights.flight(covering: scanned.lowerBound) {
            sentAgain(old, sequences, scanned: scanned, id: id, now: now)
            link.flights.update(covering: scanned.lowerBound) { $0.isCommand = isCommand }
        } else {
            link.unanswered[id] = scanned.lowerBound
            link.flights.append(
                Flight(
                    range: scanned, rows: sequences.count, id: id, sentAt: now, resends: 0, dueAt: nil,
                    isCommand: isCommand))
            position = max(position, scanned.upperBound)
        }
    }

    private mutating func sentAgain(
        _ old: Flight, _ sequences: [Int64], scanned: ClosedRange<Int64>, id: Int32, now: Instant
    ) {
        if !old.isTooLarge, !isProbablyLost(old) {
            link.probeDelay = min(link.probeDelay * 2, settings.resendLimit)
            link.probeAt = now + link.probeDelay
        }
        let isPart = scanned.upperBound < old.range.upperBound && !isConfirmed(after: scanned.upperBound, of: old)
        link.flights.update(covering: scanned.lowerBound) { flight in
            flight.id = id
            flight.sentAt = now
            flight.resends += 1
            flight.dueAt = nil
            flight.isTooLarge = false
            flight.rows = sequences.count
            if isPart { flight.range = old.range.lowerBound...scanned.upperBound }
        }
        link.unanswered[id] = old.range.lowerBound
        guard isPart else { return }
        var rest = old
        rest.range = (scanned.upperBound + 1)...old.range.upperBound
        rest.rows = max(1, old.rows - sequences.count)
        link.flights.insert(rest)
        link.flights.setDue(covering: rest.range.lowerBound, at: now, isUrgent: true)
    }

    private func isConfirmed(after sequence: Int64, of flight: Flight) -> Bool {
        confirmed.contains((sequence + 1)...flight.range.upperBound)
    }

    /// These sequences are not in the journal (a quarantined row, a run without rows): nothing to wait for.
    public mutating func skipped(_ range: ClosedRange<Int64>) {
        newest(range.upperBound)
        if range.lowerBound <= position + 1 { position = max(position, range.upperBound) }
        giveUp(range)
        confirm(SequenceRanges([range]).subtracting(confirmed), now: nil)
    }

    /// What an answer means for a publication of this state: a heat-pump command that nobody at the cloud reads has been
    /// delivered, where the broker confirms. It was given at home, and a cloud that reads temperatures only has no use for
    /// it.
    public func meaning(of answer: BrokerAnswer, for id: Int32) -> BrokerAnswer {
        guard answer == .nobody, settings.confirm == .broker, let first = link.unanswered[id],
            let flight = link.flights.flight(covering: first), flight.id == id, flight.isCommand
        else { return answer }
        return .delivered
    }

    /// The broker answered a publication (PUBACK).
    ///
    /// - Returns: whether it was a publication of this state.
    @discardableResult
    public mutating func published(_ id: Int32, _ answer: BrokerAnswer, now: Instant) -> Bool {
        guard let first = link.unanswered[id] else { return false }
        let meant = meaning(of: answer, for: id)
        if meant != answer { counters.unread += 1 }
        let answer = meant
        link.unanswered[id] = nil
        link.silentSince = now
        if answer == .delivered { link.hold = nil } else { counters.refused += 1 }
        // No answer to whether somebody subscribes: the next question waits, too.
        if answer == .refused, link.hold != nil { hold(again: link.hold, now: now) }
        guard let flight = link.flights.flight(covering: first), flight.id == id else { return true }
        if answer == .delivered, flight.rows > 1 { frameTaken(rows: flight.rows) }
        switch (answer, settings.confirm) {
        case (.delivered, .broker):
            confirm(SequenceRanges([flight.range]).subtracting(confirmed), now: now)
        case (.nobody, .ingestor):
            goBack(to: flight, now: now)
        case (.tooLarge, _) where flight.rows > 1:
            link.refused = RefusedFrame(range: flight.range, rows: flight.rows)
            frameTooLarge(rows: min(flight.rows, flight.rowLimit ?? .max))
            link.flights.update(covering: first) {
                $0.rowLimit = max(1, min($0.rows, $0.rowLimit ?? .max) / 2)
                $0.isTooLarge = true
            }
            link.flights.setDue(covering: first, at: now, isUrgent: true)
        case (.tooLarge, _):
            link.refused = RefusedFrame(range: flight.range, rows: 1)
            oversized.append(flight.range)
        default:
            let delay = min(settings.resendAfter * (1 << min(flight.resends, 16)), settings.resendLimit)
            link.flights.setDue(covering: first, at: now + delay)
        }
        return true
    }

    /// Nobody was there to get this flight: it and what followed it count as not sent, so that the order is kept when
    /// the ingestor returns. Until then one record at a time asks whether it has.
    private mutating func goBack(to flight: Flight, now: Instant) {
        link.flights.removeAll(from: flight.range.lowerBound)
        position = max(lowWatermark, min(position, flight.range.lowerBound - 1))
        hold(again: link.hold, now: now)
    }

    private mutating func hold(again hold: Hold?, now: Instant) {
        let delay = hold.map { min($0.delay * 2, settings.holdLimit) } ?? settings.holdAfter
        link.hold = Hold(delay: delay, until: now + delay)
    }

    /// The ingestor's word on what the event log has.
    public mutating func acknowledged(_ acknowledgement: Acknowledgement, now: Instant) {
        guard acknowledgement.epoch.utf8.elementsEqual(epoch.utf8) else {
            counters.foreignAcks += 1
            return
        }
        let all = SequenceRanges(acknowledgement.ranges)
        if let last = all.last, last > sentThrough { counters.clippedAcks += 1 }
        let fresh =
            lowWatermark < sentThrough
            ? all.intersection((lowWatermark + 1)...sentThrough).subtracting(confirmed) : SequenceRanges()
        if fresh.isEmpty {
            counters.staleAcks += 1
        } else {
            confirm(fresh, now: now)
        }
    }

    /// - Parameter now: nil when it was not the peer who said so.
    private mutating func confirm(_ fresh: SequenceRanges, now: Instant?) {
        guard let last = fresh.last, last > lowWatermark else { return }
        let news = fresh.intersection((lowWatermark + 1)...last)
        confirmed.formUnion(news)
        untaken.formUnion(news)
        for range in news.ranges { finishFlights(touching: range, byPeer: now != nil) }
        if let now {
            link.hold = nil
            link.probeDelay = settings.resendAfter
            link.probeAt = now + settings.resendAfter
        }
        advance()
    }

    private mutating func giveUp(_ range: ClosedRange<Int64>) {
        guard range.upperBound > lowWatermark else { return }
        let open = max(range.lowerBound, lowWatermark + 1)...range.upperBound
        lost.formUnion(SequenceRanges([open]).subtracting(confirmed))
        while lost.ranges.count > Self.lostRangesKept, let oldest = lost.ranges.first {
            lost.remove(through: oldest.upperBound)
        }
    }

    private mutating func finishFlights(touching range: ClosedRange<Int64>, byPeer: Bool = false) {
        let (low, confirmed) = (lowWatermark, confirmed)
        let latest = link.flights.finish(touching: range) { flight in
            flight.range.upperBound <= low
                || confirmed.contains(max(flight.range.lowerBound, low + 1)...flight.range.upperBound)
        }
        guard byPeer, let latest else { return }
        link.latestConfirmedSend = max(link.latestConfirmedSend ?? latest, latest)
    }

    private mutating func advance() {
        lowWatermark = confirmed.contiguousEnd(after: lowWatermark)
        confirmed.remove(through: lowWatermark)
        position = max(position, lowWatermark)
        newest(lowWatermark)
    }
}
