import Heating

/// How readings that are no temperature reach the ingestor: on a topic of their own where it asks for that by name and the
/// broker's rules let it through, and otherwise in a frame, which every ingestor and every rule knows.
///
/// Some brokers, Mosquitto 2.0.11 among them, close the connection at a topic that their rules do not allow, and a question to
/// which nobody listens costs the records behind it a wait. So after a refusal, and an end before the answer, all go in
/// frames; one record alone is tried now and then, since rights are granted and ingestors renewed while this runs.
struct MeasureRoute {
    /// What became of a record on its own topic.
    enum Answer {
        case taken
        /// Nobody asks for the measure, as with an older ingestor.
        case nobody
        /// The rules do not allow the topic.
        case refused
    }

    /// Until when frames are used, and after how many refusals in a row.
    private var withheld: (until: Instant, times: Int)?
    private var unanswered: Set<Int32> = []

    /// Whether a record must go in a frame, be it alone.
    func needsFrame(_ topic: RecordTopic?, now: Instant) -> Bool {
        guard let measure = topic?.otherMeasure else { return false }
        guard measure.isCommon else { return true }
        return withheld.map { now < $0.until || !unanswered.isEmpty } ?? false
    }

    /// A record was published on its own topic.
    mutating func sent(_ topic: RecordTopic?, as packetID: Int32) {
        if topic?.otherMeasure != nil { unanswered.insert(packetID) }
    }

    /// The broker answered.
    mutating func answered(_ packetID: Int32, _ answer: Answer, now: Instant) {
        guard !unanswered.isEmpty, unanswered.remove(packetID) != nil else { return }
        if answer == .taken { withheld = nil } else { withhold(now) }
    }

    /// The connection ended: what was not answered may be why.
    mutating func disconnected(now: Instant) {
        if !unanswered.isEmpty { withhold(now) }
        unanswered = []
    }

    /// Several that were on their way together are one refusal.
    private mutating func withhold(_ now: Instant) {
        if let withheld, now < withheld.until { return }
        let times = (withheld?.times ?? 0) + 1
        withheld = (now + Permissions.wait(afterRefusal: times), times)
    }
}
