import Compression
import Heating
import Journal
import Logging
import MQTT
import Machine

/// Records on their way from the journal to the link: each a message of its own, or several in a frame.
///
/// What to send and when is ``UplinkState``'s decision; it is told what went out, and what no broker takes is set aside.
/// Belongs to the uplink's thread.
struct RecordSender {
    private let home: HomeID
    /// Whether an ingestor confirms, which takes frames.
    private let isForIngestor: Bool
    private let journal: Journal
    private let findings: FindingBoard
    private let logger: Logger
    private var measures = MeasureRoute()

    init(_ configuration: Configuration, journal: Journal, findings: FindingBoard, logger: Logger) {
        home = configuration.home
        isForIngestor = configuration.uplink.confirm == .ingestor
        self.journal = journal
        self.findings = findings
        self.logger = logger
    }

    mutating func disconnected(now: Instant) { measures.disconnected(now: now) }

    /// The broker answered what was published.
    mutating func answered(_ packetID: Int32, _ answer: UplinkState.BrokerAnswer) {
        measures.answered(packetID, .init(answer), now: Clock.now)
    }

    /// Sends until the state says to wait; returns when to look again.
    mutating func send(_ state: inout UplinkState, on link: Link, now: Int64) throws(SendError) -> Int64? {
        while true {
            switch state.nextAction(now: Instant(nanoseconds: now)) {
            case .send(let batch):
                guard try sendNow(batch, &state, on: link) else { return nil }
            case .wait(let until):
                return until?.nanoseconds
            case .reconnect:
                link.drop(LinkSentence.cloudSilent.rawValue)
                return nil
            }
        }
    }

    /// - Returns: false when the library's window is full or the journal was replaced; the next turn goes on.
    private mutating func sendNow(
        _ batch: UplinkState.Batch, _ state: inout UplinkState, on link: Link
    ) throws(SendError) -> Bool {
        do throws(SendError) {
            try publish(batch, try read(batch, epoch: state.epoch), &state, on: link)
            return true
        } catch {
            if case .link(let problem) = error, problem.code == .windowFull { return false }
            if case .replaced = error { return false }
            throw error
        }
    }

    /// The rows of a run, and how far the run was read.
    private struct Run {
        var records: [Journal.Record]
        var scanned: ClosedRange<Int64>
    }

    private func read(_ batch: UplinkState.Batch, epoch: String) throws(SendError) -> Run {
        let read: Journal.Batch
        do throws(JournalError) {
            read = try journal.read(after: batch.after, rows: batch.rows, bytes: batch.bytes)
        } catch {
            throw .journal(error)
        }
        guard read.epoch == epoch else { throw .replaced }
        let end = min(max(read.scannedThrough, batch.range.lowerBound), batch.range.upperBound)
        return Run(
            records: read.records.filter { $0.sequence <= batch.range.upperBound },
            scanned: batch.range.lowerBound...end)
    }

    private mutating func publish(
        _ batch: UplinkState.Batch, _ run: Run, _ state: inout UplinkState, on link: Link
    ) throws(SendError) {
        guard !run.records.isEmpty else { return state.skipped(run.scanned) }
        if batch.asFrame || mustFrame(link) { return try publishFrame(run, &state, on: link) }
        try publishEach(run.records[...], through: run.scanned.upperBound, run, &state, on: link)
    }

    /// The run as a frame; by halves while it is larger than the broker takes.
    private mutating func publishFrame(_ run: Run, _ state: inout UplinkState, on link: Link) throws(SendError) {
        let now = Clock.now
        var records = run.records[...]
        while !(records.count == 1 && !mustFrame(link)) {
            let isAll = records.count == run.records.count
            let end = isAll ? run.scanned.upperBound : records.last?.sequence ?? run.scanned.upperBound
            let scanned = run.scanned.lowerBound...end
            if let packet = try publishIfItFits(frame(Array(records), epoch: state.epoch), on: link) {
                return state.sent(records.map(\.sequence), scanned: scanned, flight: packet, now: now)
            }
            guard records.count > 1 else { return try setAside(records, scanned, &state) }
            state.frameTooLarge(rows: records.count)
            records = records.prefix(records.count / 2)
        }
        let end = records.count == run.records.count ? run.scanned.upperBound : nil
        return try publishEach(records, through: end, run, &state, on: link)
    }

    /// One message for each record.
    /// - Parameter end: how far the run was read behind the last one.
    private mutating func publishEach(
        _ records: ArraySlice<Journal.Record>, through end: Int64?, _ run: Run, _ state: inout UplinkState,
        on link: Link
    ) throws(SendError) {
        var from = run.scanned.lowerBound
        for (index, record) in zip(records.indices, records) {
            let isLast = index == records.endIndex - 1
            let scanned = from...(isLast ? max(record.sequence, end ?? 0) : record.sequence)
            from = record.sequence + 1
            let topic = RecordTopic(record.topic)
            let needsFrame = isForIngestor && measures.needsFrame(topic, now: Clock.now)
            let publication =
                needsFrame ? frame([record], epoch: state.epoch) : single(record, epoch: state.epoch)
            guard let packet = try publishIfItFits(publication, on: link) else {
                try setAside([record], scanned, &state)
                continue
            }
            if !needsFrame { measures.sent(topic, as: packet) }
            var isCommand = false
            if case .heatpump = topic { isCommand = true }
            state.sent(
                [record.sequence], scanned: scanned, flight: packet, isCommand: isCommand, now: Clock.now)
        }
    }

    /// - Returns: nil when it is larger than the broker said it takes (MQTT 5 section 3.2.2.3.6).
    private func publishIfItFits(_ publication: Publication, on link: Link) throws(SendError) -> Int32? {
        do throws(SendError) {
            return try publish(publication, on: link)
        } catch {
            if case .link(let problem) = error, problem.code == .tooLarge { return nil }
            throw error
        }
    }

    private func publish(_ publication: Publication, on link: Link) throws(SendError) -> Int32 {
        do throws(LinkError) {
            return try link.publish(publication)
        } catch {
            throw .link(error)
        }
    }

    // MARK: What no broker takes

    /// What the state found to be too large for this broker.
    func setOversizedAside(_ state: inout UplinkState) throws(SendError) {
        for range in state.takeOversized() {
            let records: [Journal.Record]
            do throws(JournalError) {
                records = try journal.read(after: range.lowerBound - 1, rows: 1).records
            } catch {
                throw .journal(error)
            }
            try setAside(records.filter { range.contains($0.sequence) }[...], range, &state)
        }
    }

    /// Keeps a record that the cloud broker takes in no form where a person sees it, and goes on.
    private func setAside(
        _ records: ArraySlice<Journal.Record>, _ scanned: ClosedRange<Int64>, _ state: inout UplinkState
    ) throws(SendError) {
        do throws(JournalError) {
            _ = try journal.append(
                [],
                settingAside: records.map {
                    .init(
                        topic: $0.topic, payload: $0.payload, reason: "too_large_for_cloud", receivedAt: $0.receivedAt)
                }, now: Clock.wallNanoseconds)
        } catch {
            throw .journal(error)
        }
        state.skipped(scanned)
        for record in records where findings.report(.recordTooLarge(record)) {
            logger.error(
                "a record is larger than the cloud broker takes; it is set aside",
                metadata: [
                    "topic": "\(record.topic.debugDescription)", "sequence": "\(record.sequence)",
                    "bytes": "\(record.payload.count)",
                ])
        }
    }

    // MARK: On the wire

    /// MQTT 3.1.1 has no user properties, so sequence and epoch can only travel inside a frame.
    private func mustFrame(_ link: Link) -> Bool {
        isForIngestor && link.version == .v311
    }

    private func frame(_ records: [Journal.Record], epoch: String) -> Publication {
        let frame = Frame(
            epoch: epoch,
            records: records.map {
                .init(sequence: $0.sequence, topic: $0.topic, payload: $0.payload, attributes: $0.attributes)
            })
        return Publication(
            topic: CloudTopic.frame(home).string, payload: frame.encode(with: .zlib), qos: 1)
    }

    private func single(_ record: Journal.Record, epoch: String) -> Publication {
        var properties = [UserProperty("seq", "\(record.sequence)"), UserProperty("epoch", epoch)]
        properties += RecordAttributes(bytes: record.attributes).properties
        return Publication(
            topic: "\(home.name)/\(record.topic)", payload: record.payload, qos: 1,
            userProperties: properties)
    }
}

/// What can go wrong on the way from the journal to the link.
enum SendError: Error {
    /// The journal's file was replaced a moment ago.
    case replaced
    case journal(JournalError)
    case link(LinkError)
}

extension MeasureRoute.Answer {
    fileprivate init(_ answer: UplinkState.BrokerAnswer) {
        switch answer {
        case .delivered, .tooLarge: self = .taken
        case .nobody: self = .nobody
        case .refused: self = .refused
        }
    }
}
