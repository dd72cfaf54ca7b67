import EventLog
import Glibc

/// A member of a group in a process of its own: prints what it reads, and after each batch what it committed.
enum ReaderProcess {
    static func run(_ arguments: [String]) {
        guard arguments.count >= 3 else {
            say("error usage: read <servers> <group> <topic> [batch]")
            exit(64)
        }
        do throws(EventLogError) {
            var settings = KafkaSettings(bootstrap: arguments[0], clientID: "reader-\(getpid())")
            settings.sessionTimeout = .seconds(6)
            let log = try KafkaLog(settings) { notice in say("notice \(notice.message)") }
            let reader = try log.reader(group: arguments[1], topics: [arguments[2]])
            try read(reader, batch: arguments.count > 3 ? Int(arguments[3]) ?? 100 : 100)
        } catch {
            say("error \(error)")
            exit(1)
        }
    }

    private static func read(_ reader: any EventReader, batch count: Int) throws(EventLogError) {
        while true {
            let batch = try reader.read(atMost: count, within: 200_000_000)
            for position in batch.revoked { say("revoked \(position)") }
            for position in batch.assigned { say("assigned \(position)") }
            for stored in batch.events {
                let value = stored.value.map { String(decoding: $0, as: UTF8.self) } ?? "-"
                say("event \(stored.position) \(stored.offset) \(value)")
            }
            guard !batch.events.isEmpty else { continue }
            try reader.commit(batch.nextOffsets)
            for (position, next) in batch.nextOffsets { say("committed \(position) \(next)") }
        }
    }
}
