import CRdkafka
import Machine

/// The cluster as one log sees it: how to reach it, what went wrong with it, and who is told. Shared by the log's producer,
/// its readers and librdkafka's threads.
struct KafkaPeer: Sendable {
    let settings: KafkaSettings
    let report: NoticeHandler
    let board = LogStatusBoard(engine: "kafka")
    let complaints = BrokerComplaints()

    /// A librdkafka error in the operator's words, with the broker and its cause as far as they are known.
    func error(_ code: rd_kafka_resp_err_t, _ doing: String) -> EventLogError {
        EventLogError(
            kafka: code, doing: doing, bootstrap: settings.bootstrap,
            complaint: complaints.latest(now: Clock.monotonicNanoseconds))
    }
}
