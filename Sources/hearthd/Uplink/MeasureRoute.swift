import Heating

/// How readings that are no temperature reach the ingestor: on a topic of their own where it asks for that by name and the
/// broker's rules let it through, and otherwise in a frame, which every ingestor and every rule knows.
///
/// Some brokers, Mosquitto 2.0.11 among them, close the connection at a topic that their rules do not allow. So a refusal, and
/// an end before the answer, count for all later connections: else each of them would end at the same record.
struct MeasureRoute {
    private var isOnlyFrames = false
    private var staysInFrames = false
    private var unanswered: Set<Int32> = []

    mutating func connected() {
        if !unanswered.isEmpty { staysInFrames = true }
        (isOnlyFrames, unanswered) = (staysInFrames, [])
    }

    /// Whether a record must go in a frame, be it alone.
    func needsFrame(_ topic: RecordTopic?) -> Bool {
        guard let measure = topic?.otherMeasure else { return false }
        return isOnlyFrames || !measure.isCommon
    }

    /// A record was published on its own topic.
    mutating func sent(_ topic: RecordTopic?, as packetID: Int32) {
        if topic?.otherMeasure != nil { unanswered.insert(packetID) }
    }

    /// The broker answered. Nobody asks for the measure, as with an older ingestor, or the rules do not allow its topic: from
    /// now on it is not asked again, for each question costs the records behind it a wait.
    mutating func answered(_ packetID: Int32, isTaken: Bool, isRefused: Bool = false) {
        guard !unanswered.isEmpty, unanswered.remove(packetID) != nil, !isTaken else { return }
        isOnlyFrames = true
        if isRefused { staysInFrames = true }
    }
}
