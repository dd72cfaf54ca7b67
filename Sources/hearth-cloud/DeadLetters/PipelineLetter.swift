import EventLog
import Influx

// What a pipeline sets aside.
extension DeadLetter {
    init(_ stored: Event, _ reason: String, by pipeline: String, isWhole: Bool = false) {
        self.init(
            key: stored.key ?? stored.topic, source: "\(stored.position)@\(stored.offset)",
            reason: "\(pipeline): \(reason)", bytes: stored.value.map { Array($0) } ?? [], pipeline: pipeline,
            isWhole: isWhole)
    }

    /// A point of one event becomes a dead letter of that event, so that it can take its way again; a home's mean, and
    /// what waits for the database only, one of its line.
    init(_ point: RejectedPoint, of events: [Event], by pipeline: String, _ topics: LogTopics) {
        let source = point.index < events.count ? events[point.index] : nil
        let isHeld = !point.refusal.isFinal
        let reason = isHeld ? HeldPoints.reasonClass(of: point.refusal) : point.refusal.rawValue
        if let source, !isHeld {
            self.init(source, "\(reason): \(point.reason)", by: pipeline)
            return
        }
        self.init(
            key: source?.key ?? pipeline, source: source.map { "\($0.position)@\($0.offset)" } ?? pipeline,
            reason: "\(pipeline): \(reason): \(point.reason)", bytes: point.line, kind: .point, pipeline: pipeline,
            properties: source.flatMap { RecordName($0, topics) }?.properties ?? [], isWhole: isHeld)
    }
}
