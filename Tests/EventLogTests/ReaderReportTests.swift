import CRdkafka
import Synchronization
import Testing

@testable import EventLog

/// What a Kafka reader tells, by itself: no cluster.
@Suite("What a reader tells")
struct ReaderReportTests {
    private let heard = Notices()
    private let peer: KafkaPeer
    private let position = TopicPartition(topic: "raw", partition: 3)

    private final class Notices: Sendable {
        let all = Mutex<[EventLogNotice]>([])
    }

    init() {
        let heard = heard
        peer = KafkaPeer(
            settings: KafkaSettings(bootstrap: "broker:9092"),
            report: { notice in heard.all.withLock { $0.append(notice) } })
    }

    private var group: EventLogStatus.Group? { peer.board.snapshot.groups["p1"] }
    private var notices: [EventLogNotice] { heard.all.withLock { $0 } }

    @Test("two readers of a group share its numbers, and one that leaves takes its own away")
    func shares() {
        var (first, second) = (ReaderReport(peer, group: "p1"), ReaderReport(peer, group: "p1"))
        first.publish(lag: 5, uncommitted: 7, partitions: 2)
        second.publish(lag: nil, uncommitted: nil, partitions: 1)
        #expect(group?.lag == 5 && group?.uncommitted == 7 && group?.partitions == 3, "unknown is not none")
        second.publish(lag: 10, uncommitted: 10, partitions: 1)
        first.publish(lag: 1, uncommitted: 0, partitions: 2)
        #expect(group?.lag == 11 && group?.uncommitted == 10)
        first.publish(lag: nil, uncommitted: nil, partitions: 0)
        #expect(group?.lag == 10 && group?.uncommitted == 10 && group?.partitions == 1)
    }

    @Test("before anything is known the numbers are not zero")
    func unknown() {
        var report = ReaderReport(peer, group: "p1")
        report.publish(lag: nil, uncommitted: nil, partitions: 4)
        #expect(group?.lag == nil && group?.uncommitted == nil && group?.partitions == 4)
    }

    @Test("events that were gone are counted and told with their offsets")
    func lost() {
        let report = ReaderReport(peer, group: "p1")
        report.lost(position, 10, before: 25)
        report.lost(position, 25, before: 26)
        #expect(group?.lost == 16)
        #expect(notices.map(\.level) == [.error, .error])
        #expect(notices.first?.message.contains("10 to 24 (15) were gone before p1") == true)
    }

    @Test("a topic made anew is counted as such, not as a loss")
    func begunAgain() {
        ReaderReport(peer, group: "p1").begunAgain(.init(position: position, expected: 90, found: 0, index: 0))
        #expect(group?.resets == 1 && group?.lost == 0)
        #expect(notices.first?.message.contains("read from 0 again, where p1 had got to 90") == true)
    }

    @Test("a missing topic is told once a minute, each one by itself")
    func missing() {
        var report = ReaderReport(peer, group: "p1")
        let (code, minute) = (RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, Int64(60_000_000_000))
        for now in [0, 1, minute - 1] { report.misses("raw", code, "reading raw for p1", now: now) }
        #expect(notices.count == 1)
        report.misses("clean", code, "reading clean for p1", now: 1)
        #expect(notices.count == 2)
        report.misses("raw", code, "reading raw for p1", now: minute)
        #expect(notices.count == 3)
        #expect(peer.board.snapshot.lastError == notices.last?.message)
        #expect(notices.allSatisfy { $0.level == .warning })
    }

    @Test("reads and replaced consumers are counted")
    func counts() {
        let report = ReaderReport(peer, group: "p1")
        report.read(0)
        #expect(group == nil, "an empty read makes no group")
        for count in [3, 4] { report.read(count) }
        report.replacedConsumer()
        #expect(group?.read == 7 && group?.readerRestarts == 1)
    }
}
