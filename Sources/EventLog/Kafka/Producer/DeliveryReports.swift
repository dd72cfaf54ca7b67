import CRdkafka
import Machine
import Synchronization

/// Counts the delivery reports of one append. librdkafka holds one reference for each event it accepted and gives it
/// back with the report.
final class DeliveryReports: Sendable {
    // One more than the events under way, until the append has handed over its last.
    private let outstanding = Atomic<Int>(1)
    private let firstFailure = Mutex<(rd_kafka_resp_err_t, String?)?>(nil)
    private let isDone = Monitor(false)

    /// The reference to hand to librdkafka with one event.
    func begin() -> UnsafeMutableRawPointer {
        outstanding.add(1, ordering: .relaxed)
        return Unmanaged.passRetained(self).toOpaque()
    }

    /// librdkafka did not accept the event, or has reported on it. Takes the reference back.
    /// - Parameter topic: where it was to go, if it was refused.
    static func end(
        _ reference: UnsafeMutableRawPointer, _ result: rd_kafka_resp_err_t = RD_KAFKA_RESP_ERR_NO_ERROR,
        _ topic: String? = nil
    ) {
        Unmanaged<DeliveryReports>.fromOpaque(reference).takeRetainedValue().end(result, topic)
    }

    /// The append has nothing more to hand over.
    func allHandedOver() { end(RD_KAFKA_RESP_ERR_NO_ERROR, nil) }

    private func end(_ result: rd_kafka_resp_err_t, _ topic: String?) {
        if result != RD_KAFKA_RESP_ERR_NO_ERROR { firstFailure.withLock { $0 = $0 ?? (result, topic) } }
        if outstanding.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { isDone.change { $0 = true } }
    }

    /// Waits for the last report; false if it has not come by the deadline (monotonic nanoseconds).
    func wait(until deadline: Int64) -> Bool { isDone.wait(until: deadline) { $0 } }

    /// Sends what waits for company at once, and waits for the last report.
    ///
    /// Nothing more comes for it to wait for: the rest of `linger.ms`, which gathers the events of one append, would be lost
    /// time. "The linger.ms property will be ignored for the duration of the call", rd_kafka_flush, librdkafka 2.0.2.
    /// - Returns: false if the last report has not come within so many milliseconds.
    func isDone(within milliseconds: Int32, flushing producer: KafkaHandle) -> Bool {
        rd_kafka_flush(producer.pointer, milliseconds)
        // Other threads' events may have ended the flush's time; or all are reported, and this one's are at the last step.
        return wait(until: Clock.deadline(after: 5_000_000))
    }

    /// The first refusal and its topic.
    var failure: (rd_kafka_resp_err_t, String?)? { firstFailure.withLock { $0 } }
}
