import Heating
import MQTT
import Synchronization

/// All homes of a broker by what their gateways last said: written by the link's thread, read by whoever asks for the page.
final class Fleet: Sendable {
    /// Homes that are kept; names come from outside.
    static let limit = 100_000
    /// A gateway says something every half minute while it is connected.
    static let patience = Duration.seconds(300)

    /// A home as it is shown.
    struct Home: Equatable {
        var report: HomeReport
        /// Since it was heard, seconds; nil if nothing tells. Of what the broker had kept, by the gateway's own clock.
        var age: Int64?
        /// Its status says that it is there, and nothing has come for too long.
        var isSilent: Bool

        /// - Parameter age: since it was heard, nanoseconds.
        init(_ report: HomeReport, age: Int64?, patience: Duration) {
            self.report = report
            self.age = age.map { $0 / 1_000_000_000 }
            isSilent = report.isOnline && age.map { $0 > patience.wholeNanoseconds } ?? false
        }

        /// Nobody knows how it is there now.
        var isAway: Bool { isSilent || !report.isOnline }

        /// What a person looks for first, as in the list; who is silent is away.
        static func isMoreUrgent(_ left: Home, _ right: Home) -> Bool {
            if left.isAway != right.isAway { return left.isAway }
            return HomeReport.isMoreUrgent(left.report, right.report)
        }
    }

    fileprivate struct Entry {
        var report: HomeReport
        /// Boot nanoseconds at which it came; nil for what the broker had kept.
        var arrived: Int64?
        /// Of the connection that brought it.
        var round: Int
    }

    private struct Contents {
        var homes: [ExactString: Entry] = [:]
        var round = 0
        var isListed = false
        var isFull = false
        var problem: String?
    }

    private let contents = Mutex(Contents())

    /// Everything that the broker keeps has come once.
    var isListed: Bool { contents.withLock { $0.isListed } }
    /// There are more homes than are kept.
    var isFull: Bool { contents.withLock { $0.isFull } }
    /// What keeps the statuses out, with what to do; nil while nothing does.
    var problem: String? { contents.withLock { $0.problem } }

    func report(_ problem: String?) { contents.withLock { $0.problem = problem } }

    /// A new connection: the broker will say again all that it keeps.
    func begin() { contents.withLock { $0.round += 1 } }

    /// It has: who was not named is gone.
    func end() {
        contents.withLock { contents in
            let round = contents.round
            contents.homes = contents.homes.filter { $0.value.round == round }
            contents.isListed = true
            contents.isFull = contents.homes.count >= Self.limit
        }
    }

    /// - Parameter now: boot nanoseconds.
    func take(_ messages: [Message], now: Int64) {
        contents.withLock { contents in
            for message in messages {
                if message.payload.isEmpty, let home = Self.home(message.topic) {
                    contents.homes[home] = nil
                    continue
                }
                guard let report = HomeReport(topic: message.topic, payload: message.payload) else { continue }
                let name = ExactString(report.home)
                guard contents.homes[name] != nil || contents.homes.count < Self.limit else {
                    contents.isFull = true
                    continue
                }
                let arrived: Int64? = message.isRetained ? contents.homes[name]?.unchanged(report) : now
                contents.homes[name] = Entry(report: report, arrived: arrived, round: contents.round)
            }
        }
    }

    private static func home(_ topic: String) -> ExactString? {
        guard case .status(let home)? = CloudTopic(topic) else { return nil }
        return ExactString(home.name)
    }

    /// In no order.
    /// - Parameters:
    ///   - patience: how long a home may say nothing.
    ///   - now: boot nanoseconds.
    func homes(patience: Duration, now: Int64, wall: Timestamp) -> [Home] {
        contents.withLock { Array($0.homes.values) }.map { entry in
            let age = entry.arrived.map { now - $0 } ?? entry.report.age(wall)
            return Home(entry.report, age: age, patience: patience)
        }
    }
}

extension HomeReport {
    /// Since it was heard by its gateway's own clock, nanoseconds; less than 0 where that is ahead.
    func age(_ wall: Timestamp) -> Int64? {
        guard let (age, isTooFar) = heard.map({ wall.nanoseconds.subtractingReportingOverflow($0.nanoseconds) }) else {
            return nil
        }
        return isTooFar ? nil : age
    }
}

extension Fleet.Entry {
    /// When it came, if this is the same again.
    fileprivate func unchanged(_ report: HomeReport) -> Int64? { self.report == report ? arrived : nil }
}
