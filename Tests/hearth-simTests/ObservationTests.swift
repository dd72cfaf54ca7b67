import Heating
import Testing

@testable import hearth_sim

@Suite struct ObservationTests {
    private let payload = Array(#"{"timestamp": "2026-11-23T10:00:00", "value": 19.5}"#.utf8)

    private func cloud() throws -> ObservedBroker {
        .cloud(try #require(HomeID("home1")))
    }

    @Test func `the same reading makes the same line at home and in the cloud`() throws {
        let home = try ObservedBroker.home.observations(topic: "office/temperature", payload: payload)
        let cloud = try cloud().observations(topic: "home1/office/temperature", payload: payload)
        #expect(home.map(\.line) == cloud.map(\.line))
        #expect(home.map(\.line) == ["office/temperature\t{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 19.5}"])
    }

    @Test func `a frame is taken apart into its readings`() throws {
        let records = (1...3).map {
            Frame.Record(sequence: $0, topic: "office/temperature", payload: payload, attributes: [])
        }
        let frame = Frame(epoch: "0123456789abcdef0123456789abcdef", records: records)
        let observations = try cloud().observations(topic: "home1/frame", payload: frame.encode())
        #expect(observations == Array(repeating: Observation(topic: "office/temperature", payload: payload), count: 3))
    }

    @Test func `a damaged frame is refused`() throws {
        #expect(throws: FrameError.self) { try cloud().observations(topic: "home1/frame", payload: [1, 2, 3]) }
    }

    @Test func `a line never spans lines and different bytes never look the same`() {
        let payloads: [[UInt8]] = [[10], [13, 10], Array("\\x0a".utf8), [0x5c], [0xff], Array("\t".utf8), []]
        let lines = payloads.map { Observation(topic: "a/temperature", payload: $0).line }
        #expect(Set(lines).count == payloads.count)
        #expect(lines.allSatisfy { !$0.contains("\n") && $0.filter { $0 == "\t" }.count == 1 })
    }

    @Test func `counts name readings, starts and stops, and show the newest value that is no outlier`() {
        var rooms = ObservedRooms()
        rooms.count(Observation(topic: "office/temperature", payload: payload))
        rooms.count(
            Observation(
                topic: "office/temperature", payload: Array(#"{"timestamp": "2026-11-23T10:01:00", "value": 100}"#.utf8)
            ))
        rooms.count(Observation(topic: "office/heatpump", payload: Array(#"{"status": "1"}"#.utf8)))
        rooms.count(Observation(topic: "office/heatpump", payload: Array(#"{"status": "0"}"#.utf8)))
        rooms.count(Observation(topic: "office/temperature", payload: Array("nonsense".utf8)))
        #expect(rooms.readings == 3)
        #expect(rooms.starts == 1)
        #expect(rooms.stops == 1)
        #expect(rooms.unreadable == 1)
        #expect(rooms.newest == ["office": "19.5"])
    }
}
