import CRdkafka
import Synchronization

/// Changes of a consumer's partitions since somebody looked.
struct Rebalances: Sendable {
    /// In the order they happened.
    private(set) var changes: [Change] = []
    /// Whether the group ever gave this consumer an assignment, if an empty one.
    private(set) var hasBeenAssigned = false

    enum Change: Sendable, Equatable {
        case assigned([TopicPartition])
        case revoked([TopicPartition])
    }

    mutating func add(_ change: Change) {
        if case .assigned = change { hasBeenAssigned = true }
        changes.append(change)
    }

    mutating func take() -> [Change] {
        defer { changes = [] }
        return changes
    }
}

extension EventBatch {
    /// Takes an event that came after these changes, all in one poll: librdkafka runs the callbacks first, and may take a
    /// partition away, give it back and find its first event without returning in between. In the other order that event would be
    /// dropped with those before it, and the commit of the next one would pass over it.
    mutating func take(_ event: Event, after changes: [Rebalances.Change]) {
        for change in changes { apply(change) }
        events.append(event)
    }

    /// Folds a change in: events of a revoked partition are dropped, since its next reader will read them.
    mutating func apply(_ change: Rebalances.Change) {
        switch change {
        case .assigned(let positions):
            assigned += positions
        case .revoked(let positions):
            let gone = Set(positions)
            assigned.removeAll { gone.contains($0) }
            revoked += positions.filter { !revoked.contains($0) }
            events.removeAll { gone.contains($0.position) }
        }
    }
}

func installRebalance(on configuration: OpaquePointer?) {
    rd_kafka_conf_set_rebalance_cb(configuration, rebalanceCallback)
}

/// Runs inside rd_kafka_consumer_poll or rd_kafka_consumer_close, on the thread that called it. librdkafka waits for
/// the assignment to be set before it returns.
private func rebalanceCallback(
    client: OpaquePointer?, code: rd_kafka_resp_err_t,
    partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?, opaque: UnsafeMutableRawPointer?
) {
    guard let client, let context = CallbackContext.of(opaque) else { return }
    // Only one strategy is configured, and it is cooperative; a property may have replaced it by an eager one.
    let isCooperative = rd_kafka_rebalance_protocol(client).map { String(cString: $0) } == "COOPERATIVE"
    let positions = partitions?.positions ?? []
    var error: OpaquePointer?
    switch code {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
        context.rebalances.withLock { $0.add(.assigned(positions)) }
        if isCooperative {
            error = rd_kafka_incremental_assign(client, partitions)
        } else {
            rd_kafka_assign(client, partitions)
        }
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
        context.rebalances.withLock { $0.add(.revoked(positions)) }
        let isLost = rd_kafka_assignment_lost(client) == 1
        if isCooperative {
            error = rd_kafka_incremental_unassign(client, partitions)
        } else {
            rd_kafka_assign(client, nil)
        }
        if isLost { context.report(EventLogNotice(.warning, "kafka: lost \(list(positions)) to other readers")) }
    default:
        context.rebalances.withLock { $0.add(.revoked(positions)) }
        context.report(EventLogNotice(.warning, "kafka: rebalance failed: \(describe(code))"))
        rd_kafka_assign(client, nil)
    }
    if let error {
        let text = rd_kafka_error_string(error).map { String(cString: $0) } ?? "unknown error"
        rd_kafka_error_destroy(error)
        context.report(EventLogNotice(.error, "kafka: changing the assignment by \(list(positions)): \(text)"))
    }
}

private func list(_ positions: [TopicPartition]) -> String {
    positions.sorted().map(\.description).joined(separator: ", ")
}
