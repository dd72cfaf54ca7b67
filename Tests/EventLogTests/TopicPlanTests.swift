import Testing

@testable import EventLog

/// What `setup` asks for, and what it says of topics that are otherwise.
@Suite struct TopicPlanTests {
    private func plan(_ replication: Int, retention: Int64 = 604_800_000) -> TopicPlan {
        TopicPlan(name: "raw", partitions: 12, replication: replication, retention: retention)
    }

    private func facts(_ partitions: Int = 12, _ replicas: Int = 3, insync: Int = 2, bytes: Int = 1_048_588)
        -> TopicPlan.Facts
    {
        TopicPlan.Facts(
            partitions: partitions, replicas: replicas,
            configuration: [
                "min.insync.replicas": "\(insync)", "max.message.bytes": "\(bytes)", "retention.ms": "604800000",
            ])
    }

    @Test("one replica less than there are has to confirm; the brokers' default replication says nothing")
    func insync() {
        #expect(plan(3).configuration["min.insync.replicas"] == "2")
        #expect(plan(2).configuration["min.insync.replicas"] == "1")
        #expect(plan(1).configuration["min.insync.replicas"] == "1")
        #expect(plan(-1).configuration["min.insync.replicas"] == nil)
        #expect(plan(3).configuration["retention.ms"] == "604800000")
    }

    @Test("a topic as asked for, or better, is not complained of")
    func fine() {
        #expect(plan(3).shortcomings(of: facts()) == [])
        #expect(plan(1).shortcomings(of: facts(24, 3, bytes: 8_000_000)) == [])
        #expect(plan(1).shortcomings(of: facts(12, 1, insync: 1)) == [])
        // A cluster that does not tell its settings.
        #expect(plan(3).shortcomings(of: .init(partitions: 12, replicas: 3, configuration: [:])) == [])
    }

    @Test(
        "each shortcoming is named with the command that mends it",
        arguments: [
            (facts: (1, 3, 2, 1_048_588), says: "1 partitions, 12 are asked for"),
            (facts: (12, 1, 1, 1_048_588), says: "1 replicas, 3 are asked for"),
            (facts: (12, 3, 1, 1_048_588), says: "--add-config min.insync.replicas=2"),
            (facts: (12, 3, 3, 1_048_588), says: "while one broker is away"),
            (facts: (12, 3, 2, 100_000), says: "--add-config max.message.bytes=1048588"),
        ])
    func shortcoming(_ facts: (Int, Int, Int, Int), _ says: String) {
        let found = plan(3).shortcomings(of: self.facts(facts.0, facts.1, insync: facts.2, bytes: facts.3))
        #expect(found.count == 1 && found[0].contains(says), "\(found)")
    }

    @Test(
        "a topic that takes confirmed events away by itself is told",
        arguments: [
            ("cleanup.policy", "compact", true), ("cleanup.policy", "compact,delete", true),
            ("cleanup.policy", "delete", false),
            ("unclean.leader.election.enable", "true", true), ("unclean.leader.election.enable", "false", false),
        ])
    func losing(_ key: String, _ value: String, _ isTold: Bool) {
        var facts = facts()
        facts.configuration[key] = value
        #expect(plan(3).shortcomings(of: facts).contains { $0.contains("--add-config \(key)=") } == isTold)
    }

    @Test("also where the brokers' default made three replicas of which one may confirm alone")
    func defaults() {
        #expect(plan(-1).shortcomings(of: facts(12, 3, insync: 1)).first?.contains("min.insync.replicas=2") == true)
    }

    @Test("events kept for less than asked")
    func retention() {
        #expect(plan(3, retention: 700_000_000).shortcomings(of: facts()).first?.contains("168 hours") == true)
        #expect(plan(3, retention: -1).shortcomings(of: facts()).first?.contains("retention.ms=-1") == true)
        #expect(plan(3, retention: 3_600_000).shortcomings(of: facts()) == [])
        let held = TopicPlan(name: "held", partitions: 12, replication: 3, retention: -1, bytes: 256 << 20)
        for (bytes, isTold) in [("134217728", true), ("268435456", false), ("-1", false)] {
            var facts = facts()
            facts.configuration.merge(["retention.ms": "-1", "retention.bytes": bytes]) { $1 }
            #expect(held.shortcomings(of: facts).contains { $0.contains("retention.bytes=268435456") } == isTold)
        }
    }
}
