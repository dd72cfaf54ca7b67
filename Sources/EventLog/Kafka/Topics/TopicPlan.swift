/// What a topic shall be. A value, as is what a cluster says it is.
public struct TopicPlan: Sendable, Equatable {
    public var name: String
    /// Bounds how many readers of a group can work at once. Cannot be lowered later, and raising it moves keys to other
    /// partitions.
    public var partitions: Int
    /// Replicas of each partition, at most the number of brokers; -1 takes the brokers' default.
    public var replication: Int
    /// Kafka's topic settings, for example `retention.ms`.
    public var configuration: [String: String]  // Own names: Kafka's.

    /// Kafka measures a producer's whole batch by it; smaller, and ingest has to append in smaller parts.
    public static let batchBytes = 1_048_588

    /// - Parameter retention: milliseconds; -1: for ever.
    public init(name: String, partitions: Int, replication: Int, retention: Int64, bytes: Int64? = nil) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        configuration = ["retention.ms": "\(retention)", "max.message.bytes": "\(Self.batchBytes)"]
        if let bytes { configuration["retention.bytes"] = "\(bytes)" }
        // One replica may be away, and every confirmed event still has another. With the brokers' default of 1 the disk of
        // one broker would decide.
        if replication > 0 { configuration["min.insync.replicas"] = "\(max(1, replication - 1))" }
    }

    /// A topic as a cluster has it.
    public struct Facts: Sendable, Equatable {
        public var partitions: Int
        public var replicas: Int
        /// What the cluster tells of its settings; empty if it does not.
        public var configuration: [String: String]  // Own names: Kafka's.

        public init(partitions: Int, replicas: Int, configuration: [String: String]) {
            self.partitions = partitions
            self.replicas = replicas
            self.configuration = configuration
        }
    }

    /// In what an existing topic falls short of the plan, one sentence each, with what to do.
    public func shortcomings(of facts: Facts) -> [String] {
        var found: [String] = []
        if facts.partitions < partitions {
            found.append(
                "\(name) has \(facts.partitions) partitions, \(partitions) are asked for: no more than \(facts.partitions) "
                    + "replicas of a service get work. More (kafka-topics --alter --partitions) send homes elsewhere: "
                    + "do it while their readings are all in the database")
        }
        if replication > 0, facts.replicas < replication {
            found.append(
                "\(name) has \(facts.replicas) replicas, \(replication) are asked for: kafka-reassign-partitions adds them"
            )
        }
        let insync = number("min.insync.replicas", facts)
        let wanted = max(1, (replication > 0 ? min(replication, facts.replicas) : facts.replicas) - 1)
        if let insync, insync < wanted {
            found.append(
                "\(name) has min.insync.replicas=\(insync) with \(facts.replicas) replicas: readings are confirmed that one "
                    + "broken disk can lose. \(alter("min.insync.replicas", wanted))")
        }
        if let insync, facts.replicas > 1, insync >= facts.replicas {
            found.append(
                "\(name) has min.insync.replicas=\(insync) with \(facts.replicas) replicas: nothing is taken while one broker "
                    + "is away. \(alter("min.insync.replicas", facts.replicas - 1))")
        }
        found += losing(facts)
        if let bytes = number("max.message.bytes", facts), bytes < Self.batchBytes {
            found.append(
                "\(name) has max.message.bytes=\(bytes): it bounds a batch of readings, not one. "
                    + alter("max.message.bytes", Self.batchBytes))
        }
        if let kept = number("retention.ms", facts), let asked = configuration["retention.ms"].flatMap({ Int($0) }),
            kept >= 0, asked < 0 || kept < asked
        {
            found.append(
                "\(name) keeps events for \(kept / 3_600_000) hours, which is less than asked for: what a pipeline has not "
                    + "read by then is lost. \(alter("retention.ms", asked))")
        }
        if let room = number("retention.bytes", facts),
            let asked = configuration["retention.bytes"].flatMap({ Int($0) }),
            room >= 0, room < asked
        {
            found.append(
                "\(name) keeps \(room) bytes of a partition: what waits there and is more is lost. "
                    + alter("retention.bytes", asked))
        }
        return found
    }

    /// What takes confirmed events away, whatever else is right.
    private func losing(_ facts: Facts) -> [String] {
        var found: [String] = []
        if let policy = facts.configuration["cleanup.policy"], policy != "delete" {
            found.append(
                "\(name) has cleanup.policy=\(policy): of each home the newest event stays, and the others are gone before a "
                    + "pipeline that is behind has read them. \(alter("cleanup.policy", "delete"))")
        }
        if facts.configuration["unclean.leader.election.enable"] == "true" {
            found.append(
                "\(name) has unclean.leader.election.enable=true: a broker that lacks confirmed events may lead, and they are "
                    + "gone. \(alter("unclean.leader.election.enable", "false"))")
        }
        return found
    }

    private func number(_ key: String, _ facts: Facts) -> Int? { facts.configuration[key].flatMap { Int($0) } }

    private func alter(_ key: String, _ value: some CustomStringConvertible) -> String {
        "kafka-configs --alter --entity-type topics --entity-name \(name) --add-config \(key)=\(value)"
    }
}
