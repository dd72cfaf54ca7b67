import CRdkafka

extension EventLogError {
    /// A librdkafka error code in the operator's words.
    /// - Parameter complaint: what was wrong with a broker lately, and probably is what this comes from.
    init(kafka code: rd_kafka_resp_err_t, doing: String, bootstrap: String, complaint: String? = nil) {
        let what = "\(doing): \(describe(code))"
        switch code {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            self.init(.unknownTopic, "\(what). Create the topics with `hearth-cloud setup`; tried again until then.")
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR__ISR_INSUFF:
            self.init(.notEnoughReplicas, "\(what). Bring the missing brokers back; tried again until then.")
        case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
            self.init(.notEnoughReplicas, "\(what). Start more brokers, or ask for fewer replicas.")
        case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_CONFIG,
            RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
            self.init(.settings, "\(what). Correct the settings of the topic.")
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            self.init(.settings, "\(what). The brokers at \(bootstrap) cannot do this; use Kafka 2.4 or later.")
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            self.init(.tooLarge, "\(what). Raise max.message.bytes of the topic, or send less in one event.")
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            self.init(.notAuthorized, "\(what). \(Self.rights(code)); tried again until then.")
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            self.init(
                .notAuthorized,
                "\(complaint ?? "\(what), see KAFKA_USERNAME and KAFKA_PASSWORD_FILE"); tried again until then.")
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            self.init(
                .fenced,
                "\(what). Either another process uses this instance name (KAFKA_INSTANCE; give each replica its own), or the "
                    + "group's coordinator moved; this reader joins again.")
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
            // librdkafka does not say which error it was retrying.
            self.init(
                .unreachable,
                complaint.map { "\(doing): \($0); tried again until then." }
                    ?? "\(what). Check that the brokers at \(bootstrap) run and have the replicas in sync that the topic "
                    + "demands; tried again until then.")
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
            self.init(
                .unreachable,
                complaint.map { "\(doing): \($0); tried again until then." }
                    ?? "\(what). Check that the brokers at \(bootstrap) run; tried again until then.")
        case RD_KAFKA_RESP_ERR__INCONSISTENT:
            // Not `.refused`: nothing is wrong with the topic, and the same append works.
            self.init(
                .unreachable,
                "\(doing): a broker refused an event and stored a later one of the same partition; tried again at once, and "
                    + "may be there twice.")
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            self.init(.restarted, "\(what). The producer is replaced; tried again at once.")
        default:
            self.init(.refused, "\(what). Look into the brokers' logs; tried again until then.")
        }
    }

    /// Which rights are missing, in the words of kafka-acls.
    private static func rights(_ code: rd_kafka_resp_err_t) -> String {
        switch code {
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: "Allow this user Read and Describe on the group"
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            "Allow this user IdempotentWrite on the cluster, and Create for `hearth-cloud setup`"
        default:
            "Allow this user Describe on the topic, and Write where it appends, Read where it reads, Create for "
                + "`hearth-cloud setup`"
        }
    }
}
