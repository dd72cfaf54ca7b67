import Foundation
import Glibc
import Synchronization

/// A TCP server whose every byte the test decides: it accepts, records the packets that arrive with their times,
/// and writes what it is told.
public final class ScriptedBroker: Sendable {
    public let port: Int
    private let listener: Int32
    private let accepted = Mutex<[Peer]>([])

    public init() throws {
        (listener, port) = try listenOnLoopback(port: 0)
        Thread { [self] in acceptConnections() }.start()
    }

    /// Stops listening and closes what is connected.
    public func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        for peer in peers { peer.close() }
    }

    public var peers: [Peer] { accepted.withLock { $0 } }

    /// The connection with this number, counted from 0.
    public func peer(_ number: Int = 0, within limit: Duration = .seconds(10)) async throws -> Peer {
        try await value(within: limit, "connection \(number)") { peers.count > number ? peers[number] : nil }
    }

    /// Waits for a connection's CONNECT and accepts it.
    @discardableResult
    public func acceptMQTT(
        _ number: Int = 0, sessionPresent: Bool = false, properties: [UInt8] = []
    ) async throws -> Peer {
        let peer = try await peer(number)
        let connect = try await peer.packet(.connect)
        let isVersion5 = connect.protocolLevel == 5
        peer.write(
            isVersion5
                ? Packet.connack(sessionPresent: sessionPresent, properties: properties)
                : [0x20, 2, sessionPresent ? 1 : 0, 0])
        return peer
    }

    private func acceptConnections() {
        while true {
            let descriptor = acceptConnection(listener)
            guard descriptor >= 0 else { break }
            setNoDelay(descriptor)
            let peer = Peer(descriptor)
            accepted.withLock { $0.append(peer) }
            Thread { peer.readPackets() }.start()
        }
        Glibc.close(listener)
    }

    /// One accepted connection.
    public final class Peer: Sendable {
        private struct State {
            var descriptor: Int32
            var packets: [Packet] = []
            var raw: [UInt8] = []
            var isEnded = false
        }

        private let state: Mutex<State>

        fileprivate init(_ descriptor: Int32) {
            state = Mutex(State(descriptor: descriptor))
        }

        deinit {
            close()
        }

        /// Everything the client has sent.
        public var packets: [Packet] { state.withLock { $0.packets } }
        public var rawBytes: [UInt8] { state.withLock { $0.raw } }
        /// The client has closed its side.
        public var isEnded: Bool { state.withLock { $0.isEnded } }

        public func packets(_ kind: Packet.Kind) -> [Packet] { packets.filter { $0.kind == kind } }

        /// Packet ids of the PUBACKs so far, in their order.
        public var acknowledged: [UInt16] { packets(.puback).compactMap(\.packetID) }

        /// Waits for the n-th packet of a kind, counted from 0.
        public func packet(
            _ kind: Packet.Kind, _ number: Int = 0, within limit: Duration = .seconds(10)
        ) async throws -> Packet {
            try await value(within: limit, "\(kind) number \(number)") {
                let found = packets(kind)
                return found.count > number ? found[number] : nil
            }
        }

        /// Answers the n-th SUBSCRIBE with QoS 1 for each of its filters.
        public func acceptSubscription(_ number: Int = 0, filters: Int = 1) async throws {
            let id = try await packet(.subscribe, number).packetID ?? 0
            write(Packet.suback(id, reasons: Array(repeating: 1, count: filters)))
        }

        public func write(_ bytes: [UInt8]) {
            let descriptor = state.withLock { $0.descriptor }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }

        public func close() {
            let descriptor = state.withLock { state in
                defer { state.descriptor = -1 }
                return state.descriptor
            }
            guard descriptor >= 0 else { return }
            shutdown(descriptor, Int32(SHUT_RDWR))
            Glibc.close(descriptor)
        }

        fileprivate func readPackets() {
            let descriptor = dup(state.withLock { $0.descriptor })
            defer { Glibc.close(descriptor) }
            var parser = PacketParser()
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                parser.append(buffer[..<count])
                var found: [Packet] = []
                while let packet = parser.next() { found.append(packet) }
                state.withLock {
                    $0.packets += found
                    $0.raw += buffer[..<count]
                }
            }
            state.withLock { $0.isEnded = true }
        }
    }
}
