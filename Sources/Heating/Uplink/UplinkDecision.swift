extension UplinkState {
    /// What to do now. Ask again after every event and every report, until it says wait.
    public mutating func nextAction(now: Instant) -> Action {
        guard isConnected else { return .wait(until: nil) }
        var deadlines: [Instant] = []
        if !link.unanswered.isEmpty {
            let timeout = link.silentSince + settings.answerTimeout
            if now >= timeout { return .reconnect }
            deadlines.append(timeout)
        }
        if let hold = link.hold {
            // One question at a time; its answer is an event.
            if link.unanswered.isEmpty {
                guard now >= hold.until else { return .wait(until: hold.until) }
                if case .send(var batch) = firstSend(now: now) {
                    (batch.rows, batch.asFrame) = (1, false)
                    return .send(batch)
                }
                // The window is full of what was refused: some of that asks.
                return resend(now: now)
            }
        } else if link.unanswered.count < window {
            switch resend(now: now) {
            case .send(let batch): return .send(batch)
            case .wait(until: let instant?): deadlines.append(instant)
            case .wait(until: nil), .reconnect: break
            }
            switch firstSend(now: now) {
            case .send(let batch): return .send(batch)
            case .wait(until: let instant?): deadlines.append(instant)
            case .wait(until: nil), .reconnect: break
            }
        }
        return .wait(until: deadlines.min())
    }

    /// Most publications without an answer.
    private var window: Int {
        lowWatermark < suspectThrough ? 1 : max(1, min(settings.windowFlights, link.sendMaximum))
    }

    private mutating func resend(now: Instant) -> Action {
        guard let flight = link.flights.firstDue(), let due = flight.dueAt, flight.range.upperBound > lowWatermark
        else { return .wait(until: nil) }
        let allowed = flight.isTooLarge || isProbablyLost(flight) ? due : max(due, link.probeAt)
        guard now >= allowed else { return .wait(until: allowed) }
        guard bucket.available(1, now: now) > 0 else { return .wait(until: bucket.instant(for: 1)) }
        let gaps = confirmed.gaps(in: max(flight.range.lowerBound, lowWatermark + 1)...flight.range.upperBound)
        guard let first = gaps.first, let last = gaps.last else { return .wait(until: nil) }
        let rows = min(flight.rows, flight.rowLimit ?? .max, frameRows)
        return .send(
            Batch(
                range: first.lowerBound...last.upperBound, rows: rows, bytes: settings.frameBytes, asFrame: rows > 1,
                isResend: true))
    }

    /// Something that was sent later has been confirmed.
    func isProbablyLost(_ flight: Flight) -> Bool {
        link.latestConfirmedSend.map { flight.sentAt < $0 } ?? false
    }

    private mutating func firstSend(now: Instant) -> Action {
        position = confirmed.contiguousEnd(after: max(position, lowWatermark))
        guard position < newest else { return .wait(until: nil) }
        let limit = refusedFrameLimit()
        let last = min(confirmed.next(after: position).map { min($0 - 1, newest) } ?? newest, limit.last)
        let behind = newest - position
        let isBehind = behind > Int64(settings.frameWhenBehind)
        let frameRows = min(frameRows, limit.rows)
        let asFrame = isBehind && settings.confirm == .ingestor && frameRows > 1
        let slots = self.window - link.unanswered.count
        let most = asFrame ? min(settings.frameRecords, Frame.recordLimit, frameRows) : slots
        let window = settings.windowRecords - link.flights.rows
        var rows = min(max(1, most), window, Int(clamping: last - position))
        guard rows > 0 else { return .wait(until: nil) }
        if isBehind {
            let worthwhile = min(rows, max(1, Int(bucket.rate / 4)))
            rows = bucket.available(rows, now: now)
            guard rows >= worthwhile || bucket.rate == 0 else { return .wait(until: bucket.instant(for: worthwhile)) }
        }
        return .send(
            Batch(
                range: (position + 1)...last, rows: rows, bytes: settings.frameBytes, asFrame: asFrame,
                isResend: false))
    }

    /// How far the next message may reach, and its most rows, next to a frame or in what was one that the broker refused.
    private mutating func refusedFrameLimit() -> (last: Int64, rows: Int) {
        guard let refused = refusedFrame, position < refused.range.upperBound else {
            if lowWatermark >= refusedFrame?.range.upperBound ?? .max { refusedFrame = nil }
            return (.max, .max)
        }
        guard position + 1 >= refused.range.lowerBound else { return (refused.range.lowerBound - 1, .max) }
        return (refused.range.upperBound, max(1, refused.rows))
    }
}
