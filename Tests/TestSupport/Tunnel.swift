import Foundation
import Glibc

/// One proxied connection: two sockets, and what passes between them in each direction. Used by one thread.
final class Tunnel {
    enum Event {
        case delivered(WireProxy.Delivery)
        case acknowledged(WireProxy.Delivery)
        case published(WireProxy.Delivery)
        case confirmed(WireProxy.Delivery)
    }

    let number: Int
    private(set) var isClosed = false
    private let client: Int32
    private let broker: Int32
    private var fromClient = Direction()
    private var fromBroker = Direction()
    private var isVersion5 = false
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    /// One direction's bytes on their way, and the publications in it that wait for their PUBACK.
    private struct Direction {
        var parser = PacketParser()
        var waiting: [UInt8] = []
        var hasEnded = false
        var isShutDown = false
        var unacknowledged: [UInt16: WireProxy.Delivery] = [:]
        var allowance = 0.0
        var lastPump = ContinuousClock.now
    }

    private static let highWater = 1 << 20

    init(number: Int, client: Int32, broker: Int32) {
        self.number = number
        self.client = client
        self.broker = broker
        for descriptor in [client, broker] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    }

    /// - Parameter isThrottled: bytes wait for their time and not for the sockets.
    func pollRequests(isThrottled: Bool) -> [pollfd] {
        [
            request(client, fromClient, isThrottled ? Direction() : fromBroker),
            request(broker, fromBroker, isThrottled ? Direction() : fromClient),
        ]
    }

    private func request(_ descriptor: Int32, _ incoming: Direction, _ outgoing: Direction) -> pollfd {
        var events: Int32 = 0
        if !incoming.hasEnded, incoming.waiting.count < Self.highWater { events |= POLLIN }
        if !outgoing.waiting.isEmpty { events |= POLLOUT }
        return pollfd(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0)
    }

    func reset() {
        guard !isClosed else { return }
        isClosed = true
        resetConnection(client)
        resetConnection(broker)
    }

    /// Moves what can be moved. While held, bytes are read and recorded but stay here.
    func pump(isHeld: Bool, bytesPerSecond: Int?, _ record: ([Event]) -> Void) {
        var events: [Event] = []
        for packet in receive(client, &fromClient) { observeClient(packet, &events) }
        for packet in receive(broker, &fromBroker) { observeBroker(packet, &events) }
        record(events)
        guard !isHeld else { return }
        forward(&fromClient, to: broker, bytesPerSecond)
        forward(&fromBroker, to: client, bytesPerSecond)
        if fromClient.isShutDown, fromBroker.isShutDown {
            isClosed = true
            close(client)
            close(broker)
        }
    }

    private func receive(_ descriptor: Int32, _ direction: inout Direction) -> [Packet] {
        var packets: [Packet] = []
        while !direction.hasEnded, direction.waiting.count < Self.highWater {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EAGAIN || errno == EINTR { break }
            guard count > 0 else {
                direction.hasEnded = true
                break
            }
            direction.waiting += buffer[..<count]
            direction.parser.append(buffer[..<count])
            while let packet = direction.parser.next() { packets.append(packet) }
        }
        return packets
    }

    private func forward(_ direction: inout Direction, to descriptor: Int32, _ bytesPerSecond: Int?) {
        let now = ContinuousClock.now
        let elapsed = (now - direction.lastPump) / .seconds(1)
        direction.lastPump = now
        var limit = direction.waiting.count
        if let bytesPerSecond {
            // At most 50 ms worth at once, so that a pause does not turn into a burst.
            let most = max(1, Double(bytesPerSecond) / 20)
            direction.allowance = min(most, direction.allowance + elapsed * Double(bytesPerSecond))
            limit = min(limit, Int(direction.allowance))
        }
        if limit > 0 {
            let count = direction.waiting.withUnsafeBytes {
                send(descriptor, $0.baseAddress, limit, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                direction.waiting.removeFirst(count)
                direction.allowance -= Double(count)
            } else if errno != EAGAIN, errno != EINTR {
                direction.waiting.removeAll()
                direction.hasEnded = true
            }
        }
        if direction.hasEnded, direction.waiting.isEmpty, !direction.isShutDown {
            direction.isShutDown = true
            shutdown(descriptor, Int32(SHUT_WR))
        }
    }

    // MARK: Reading along

    private func observeClient(_ packet: Packet, _ events: inout [Event]) {
        if packet.kind == .connect { isVersion5 = packet.protocolLevel == 5 }
        if let delivery = publication(packet) {
            fromClient.unacknowledged[delivery.packetID] = delivery
            events.append(.published(delivery))
        }
        if let delivery = acknowledgement(packet, &fromBroker) { events.append(.acknowledged(delivery)) }
    }

    private func observeBroker(_ packet: Packet, _ events: inout [Event]) {
        if let delivery = publication(packet) {
            fromBroker.unacknowledged[delivery.packetID] = delivery
            events.append(.delivered(delivery))
        }
        if let delivery = acknowledgement(packet, &fromClient) { events.append(.confirmed(delivery)) }
    }

    private func publication(_ packet: Packet) -> WireProxy.Delivery? {
        guard packet.kind == .publish, packet.qos == 1, let id = packet.packetID else { return nil }
        return WireProxy.Delivery(
            connection: number, topic: packet.topic, packetID: id, payload: packet.payload(isVersion5: isVersion5),
            isDuplicate: packet.isDuplicate, time: packet.time)
    }

    private func acknowledgement(_ packet: Packet, _ opposite: inout Direction) -> WireProxy.Delivery? {
        guard packet.kind == .puback, let id = packet.packetID, packet.reason < 0x80,
            let delivery = opposite.unacknowledged.removeValue(forKey: id)
        else { return nil }
        return WireProxy.Delivery(
            connection: number, topic: delivery.topic, packetID: id, payload: delivery.payload,
            isDuplicate: delivery.isDuplicate, time: packet.time)
    }
}
