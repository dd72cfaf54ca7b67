import Heating
import MQTT

/// Sends confirmations as the broker's window has place for them, and keeps what the broker has not answered: after a
/// broken connection it goes again. For the connection's thread.
struct ConfirmationSender {
    /// About 20 KiB of text, far below what a gateway takes.
    private static let rangesPerMessage = 1000
    /// A range is at most two numbers of 19 digits and four more bytes; the topic, epoch and braces are the rest.
    private static let (bytesPerRange, bytesOfRest) = (44, 700)

    private var queue = ConfirmationQueue()
    private var flights: [Int32: ConfirmationQueue.Confirmation] = [:]
    private(set) var counts = Counts()

    struct Counts: Equatable, Sendable {
        /// Answered by the broker; the home has it, or was not connected.
        var sent = 0
        /// Not sent, or refused by the broker: the home will ask by sending again.
        var failed = 0
        /// In the queue or on the way.
        var waiting = 0
    }

    var isEmpty: Bool { queue.isEmpty && flights.isEmpty }

    mutating func put(_ confirmations: [HomeID: [ExactString: SequenceRanges]]) {
        for (home, epochs) in confirmations {
            for (epoch, ranges) in epochs where !queue.put(.init(home: home, epoch: epoch), ranges) {
                counts.failed += 1
            }
        }
    }

    /// Publishes while there is place.
    mutating func send(on link: Link) {
        while link.isConnected, link.inFlight < link.sendMaximum,
            let next = queue.takeFirst(ranges: Self.ranges(within: link.maximumPacketSize))
        {
            let payload = Acknowledgement(epoch: next.key.epoch.text, ranges: next.ranges.ranges).payload
            do throws(LinkError) {
                let id = try link.publish(
                    Publication(topic: CloudTopic.ack(next.key.home).string, payload: payload, qos: 1))
                flights[id] = next
            } catch {
                if error.code == .windowFull || error.code == .notConnected {
                    _ = queue.put(next.key, next.ranges)
                    return
                }
                counts.failed += 1
            }
        }
    }

    /// A PUBACK arrived.
    mutating func answered(_ packetID: Int32, _ reason: ReasonCode) {
        guard flights.removeValue(forKey: packetID) != nil else { return }
        if reason.isSuccess { counts.sent += 1 } else { counts.failed += 1 }
    }

    /// The connection is gone: what was not answered waits again.
    mutating func disconnected() {
        let unanswered = flights.values
        flights = [:]
        for flight in unanswered where !queue.put(flight.key, flight.ranges) { counts.failed += 1 }
    }

    var snapshot: Counts {
        var counts = counts
        counts.waiting = queue.count + flights.count
        return counts
    }

    static func ranges(within packet: Int?) -> Int {
        guard let packet else { return rangesPerMessage }
        return max(1, min(rangesPerMessage, (packet - bytesOfRest) / bytesPerRange))
    }
}
