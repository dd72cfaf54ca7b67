import Heating

/// A journal, a lane as hearthd runs it, a broker and an ingestor.
package struct UplinkWorld {
    enum Event {
        case append(Int)
        /// The broker answers the publication of a connection.
        case answer(connection: Int, id: Int32, UplinkState.BrokerAnswer)
        /// The ingestor's subscription goes or comes.
        case presence(Bool)
        /// The message reaches the ingestor.
        case arrive([Int64])
        case acknowledge(Acknowledgement)
        case drop
        case connect
        case restart
        case overflow
    }

    let seed: UInt64
    var random: SeededGenerator
    let confirm: UplinkState.Confirmation
    let settings: UplinkState.Settings
    var state: UplinkState
    var now = Instant.zero
    /// The next event is last.
    var agenda: [(at: Instant, event: Event)] = []
    var isHealing = false

    // The journal.
    var rows: Set<Int64> = []
    var newest: Int64 = 0
    var dropped: Int64 = 0
    var journalConfirmed: Set<Int64> = []
    /// Confirmed though the log does not have them: must stay empty.
    var unproven: [Int64] = []

    // The link.
    var connection = 0
    var isConnected = false
    var nextID: Int32 = 0
    var sendMaximum = 1
    /// Publications the broker has not answered, with the first sequence in each.
    var unanswered: [Int32: Int64] = [:]
    var isSubscribed = true
    var lastFirstSend: Int64 = 0
    /// Sent on this connection and not confirmed.
    var open: Set<Int64> = []

    // The peer.
    var logged: Set<Int64> = []
    var lastAnswerAt = Instant.zero

    package init(seed: UInt64, confirm: UplinkState.Confirmation) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        self.confirm = confirm
        settings = UplinkState.Settings(
            confirm: confirm, windowRecords: Int.random(in: 1...60, using: &random),
            windowFlights: Int.random(in: 1...8, using: &random), frameRecords: Int.random(in: 1...20, using: &random),
            frameWhenBehind: Int.random(in: 0...10, using: &random),
            maxRate: random.pick([0, 0, 0, 5, 50]))
        state = UplinkState(settings: settings, epoch: "e", lowWatermark: 0, newest: 0)
        schedule(.connect, within: 1)
        schedule(.append(10), within: 1)
    }

    mutating func schedule(_ event: Event, within seconds: Int) {
        let delay = Duration.milliseconds(Int.random(in: 0...(seconds * 1000), using: &random))
        schedule(event, at: now + delay)
    }

    mutating func schedule(_ event: Event, at instant: Instant) {
        let later = agenda.lastIndex { $0.at >= instant }
        agenda.insert((instant, event), at: later.map { $0 + 1 } ?? 0)
    }

    // MARK: - Running

    package mutating func live(events: Int) throws {
        for _ in 0..<events { try step() }
    }

    /// From here on nothing is lost: everything must be confirmed, within hours (waits double up to ten minutes).
    package mutating func heal() throws {
        isHealing = true
        isSubscribed = true
        agenda.removeAll { if case .append = $0.event { true } else { false } }
        let end = now + .seconds(24 * 3600)
        var steps = 0
        // Gaps at the journal's end may still wait for the next question to a broker that had no subscriber.
        while journalConfirmed.count < rows.count || state.unconfirmed > 0 {
            steps += 1
            try check(
                now < end && steps < 50_000, seed, "stuck: \(rows.subtracting(journalConfirmed).sorted().prefix(9))")
            if !isConnected, !agenda.contains(where: { if case .connect = $0.event { true } else { false } }) {
                schedule(.connect, within: 1)
            }
            try step()
        }
        try check(state.lowWatermark == newest, seed, "low watermark \(state.lowWatermark) of \(newest)")
        try check(state.unconfirmed == 0, seed, "\(state.unconfirmed) unconfirmed")
    }

    mutating func step() throws {
        var wake = try pump()
        if let next = agenda.last, next.at <= wake {
            agenda.removeLast()
            now = max(now, next.at)
            try handle(next.event)
            wake = try pump()
        } else if wake < .distantFuture {
            now = max(now, wake)
        }
        try checkInvariants()
    }

    /// Does what the state asks for until it says wait; returns until when.
    mutating func pump() throws -> Instant {
        for _ in 0..<10_000 {
            switch state.nextAction(now: now) {
            case .wait(let until):
                takeConfirmed()
                return until ?? .distantFuture
            case .reconnect: try handle(.drop)
            case .send(let batch): try send(batch)
            }
        }
        throw Broken(sentence: "sends without end", seed: seed)
    }

    mutating func takeConfirmed() {
        for range in state.takeConfirmed() {
            var sequence = range.lowerBound
            while sequence <= range.upperBound {
                if rows.contains(sequence) {
                    journalConfirmed.insert(sequence)
                    open.remove(sequence)
                    if confirm == .ingestor, !logged.contains(sequence) { unproven.append(sequence) }
                }
                sequence += 1
            }
        }
    }

    // MARK: - The lane

    mutating func send(_ batch: UplinkState.Batch) throws {
        try check(isConnected, seed, "sends without a connection")
        try check(batch.rows > 0 && batch.range.upperBound <= newest, seed, "asks for \(batch)")
        try check(!batch.asFrame || confirm == .ingestor, seed, "a frame for a plain broker")
        // As the journal's byte limit would: sometimes less than asked for.
        let limit = random.chance(1, in: 5) ? max(1, batch.rows / 2) : batch.rows
        var found: [Int64] = []
        var end = batch.after
        while end < batch.range.upperBound, found.count < limit {
            end += 1
            if rows.contains(end) { found.append(end) }
        }
        guard !found.isEmpty else { return state.skipped(batch.range.lowerBound...end) }
        if batch.asFrame {
            try checkFrame(found)
            try publish(found, scanned: batch.range.lowerBound...end, isResend: batch.isResend)
        } else {
            var from = batch.range.lowerBound
            for row in found {
                try publish([row], scanned: from...row, isResend: batch.isResend)
                from = row + 1
            }
            if from <= end { state.skipped(from...end) }
        }
    }

    /// What arrives is what was sent, or is refused.
    mutating func checkFrame(_ sequences: [Int64]) throws {
        guard random.chance(1, in: 8) else { return }
        let records = sequences.map { sequence in
            Frame.Record(
                sequence: sequence, topic: "room\(sequence % 3)/temperature",
                payload: Array(
                    "{\"timestamp\": \"2026-11-23T10:00:00.\(100_000 + sequence)\", \"value\": 20.\(sequence)}".utf8))
        }
        var bytes = Frame(epoch: "e", records: records).encode()
        try check((try? Frame.decode(bytes))?.records == records, seed, "a frame changed on the way")
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
        try check((try? Frame.decode(bytes)) == nil, seed, "a frame with a flipped bit at \(place) was taken")
    }

    mutating func publish(_ sequences: [Int64], scanned: ClosedRange<Int64>, isResend: Bool) throws {
        nextID = nextID % 50 + 1
        while unanswered[nextID] != nil { nextID = nextID % 50 + 1 }
        unanswered[nextID] = sequences[0]
        if !isResend {
            try check(sequences[0] > lastFirstSend, seed, "\(sequences[0]) first sent after \(lastFirstSend)")
            lastFirstSend = sequences[sequences.count - 1]
            for sequence in sequences {
                try check(!journalConfirmed.contains(sequence), seed, "\(sequence) sent though confirmed")
            }
        }
        state.sent(sequences, scanned: scanned, flight: nextID, now: now)
        open.formUnion(sequences.filter { !journalConfirmed.contains($0) })
        let isDelivered = isSubscribed && (isHealing || !random.chance(1, in: 15))
        let answersAtAll = isHealing || !random.chance(1, in: 60)
        if answersAtAll {
            let delay = Duration.milliseconds(Int.random(in: 0...2000, using: &random))
            lastAnswerAt = max(lastAnswerAt, now + delay)
            let answer: UplinkState.BrokerAnswer = isDelivered ? .delivered : isSubscribed ? .refused : .nobody
            schedule(.answer(connection: connection, id: nextID, answer), at: lastAnswerAt)
        }
        if isDelivered && (isHealing || !random.chance(1, in: 8)) { schedule(.arrive(sequences), within: 5) }
    }

    // MARK: - The rest of the world

    mutating func handle(_ event: Event) throws {
        switch event {
        case .append(let count):
            for _ in 0..<count {
                newest += 1
                if !random.chance(1, in: 12) { rows.insert(newest) }
            }
            state.newest(newest)
            schedule(.append(Int.random(in: 0...12, using: &random)), within: 3)
            misbehave()
        case .answer(let connection, let id, let answer):
            guard connection == self.connection, isConnected, let first = unanswered.removeValue(forKey: id) else {
                return
            }
            state.published(id, answer, now: now)
            guard answer == .nobody, confirm == .ingestor else { return }
            // From there on it may be sent as if for the first time.
            lastFirstSend = min(lastFirstSend, first - 1)
            open = open.filter { $0 < first }
        case .presence(let isThere):
            isSubscribed = isThere || isHealing
            if !isThere { schedule(.presence(true), within: 100) }
        case .arrive(let sequences):
            logged.formUnion(sequences)
            if isHealing || !random.chance(1, in: 6) { acknowledge(sequences) }
        case .acknowledge(let acknowledgement):
            guard isConnected else { return }
            state.acknowledged(acknowledgement, now: now)
        case .drop:
            isConnected = false
            (unanswered, open, lastFirstSend) = ([:], [], 0)
            state.disconnected()
            schedule(.connect, within: 60)
        case .connect:
            guard !isConnected else { return }
            isConnected = true
            connection += 1
            lastAnswerAt = now
            sendMaximum = Int.random(in: 1...10, using: &random)
            state.connected(sendMaximum: sendMaximum, now: now)
        case .restart:
            try handle(.drop)
            takeConfirmed()
            var low = dropped
            while low < newest, !rows.contains(low + 1) || journalConfirmed.contains(low + 1) { low += 1 }
            state = UplinkState(settings: settings, epoch: "e", lowWatermark: low, newest: newest)
            // The journal keeps ranges above the low watermark in memory only.
            journalConfirmed = journalConfirmed.filter { $0 <= low }
        case .overflow:
            takeConfirmed()
            dropped = max(dropped, min(newest, state.lowWatermark + Int64.random(in: 0...20, using: &random)))
            rows = rows.filter { $0 > dropped }
            open = open.filter { $0 > dropped }
            journalConfirmed = journalConfirmed.filter { $0 > dropped }
            state.floor(dropped)
        }
    }

    /// Acknowledges what arrived, with some of what the log has besides, or a part of it; perhaps twice, after a while.
    mutating func acknowledge(_ arrived: [Int64]) {
        guard confirm == .ingestor else { return }
        var some = arrived + logged.prefix(random.chance(1, in: 4) ? 10 : 0)
        if !isHealing, random.chance(1, in: 3) { some = Array(some.shuffled(using: &random).prefix(some.count / 2)) }
        let each = some.map { $0...$0 }
        let ranges = random.chance(1, in: 3) ? each : SequenceRanges(each).ranges
        for _ in 0..<(random.chance(1, in: 4) ? 2 : 1) {
            schedule(
                .acknowledge(Acknowledgement(epoch: "e", ranges: ranges)),
                within: isHealing ? 2 : random.pick([1, 10, 300]))
        }
    }

    mutating func misbehave() {
        switch Int.random(in: 0..<40, using: &random) {
        case 0...2: schedule(.drop, within: 10)
        case 3: schedule(.restart, within: 10)
        case 4: schedule(.overflow, within: 10)
        case 7: schedule(.presence(false), within: 10)
        case 5:
            schedule(.acknowledge(Acknowledgement(epoch: "other", ranges: [0...(newest + 5)])), within: 10)
        case 6:
            // Never sent when it arrives, or it would be the truth: far beyond the journal's end.
            let beyond = newest + 1_000_000
            schedule(.acknowledge(Acknowledgement(epoch: "e", ranges: [beyond...(beyond + 9), 0...0])), within: 10)
        default: break
        }
    }

    // MARK: - What must always hold

    mutating func checkInvariants() throws {
        takeConfirmed()
        try check(unproven.isEmpty, seed, "confirmed though the log has it not: \(unproven.prefix(5))")
        try check(unanswered.count <= min(settings.windowFlights, sendMaximum), seed, "\(unanswered.count) unanswered")
        try check(open.count <= settings.windowRecords, seed, "\(open.count) records in the window")
    }
}
