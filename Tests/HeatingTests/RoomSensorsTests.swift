import Testing

@testable import Heating

@Suite("Devices: several sensors of one room")
struct RoomSensorsTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test("several sensors, each with its own silence")
    func sensors() {
        var room = RoomSensors(combine: .mean, disagreement: 2)
        room.heard(20, from: "a", rule: 0, staleAfter: .seconds(100), now: at(0))
        room.heard(22, from: "b", rule: 1, staleAfter: .seconds(50), now: at(0))
        #expect(room.value(now: at(1)) == 21)
        #expect(room.nextDeadline(now: at(1)) == at(50))
        #expect(room.outliers(now: at(1)).isEmpty)
        room.heard(25, from: "b", rule: 1, staleAfter: .seconds(50), now: at(2))
        #expect(room.outliers(now: at(3)).map(\.sensor) == ["a", "b"])
        room.combine = .max
        #expect(room.value(now: at(3)) == 25)
        room.combine = .first
        #expect(room.value(now: at(3)) == 20)
        #expect(room.value(now: at(60)) == 20)
        #expect(room.value(now: at(100)) == nil)
    }

    @Test("a kept reading counts until the first live one, and for no longer than a live one would")
    func kept() {
        var room = RoomSensors()
        #expect(
            room.heard(
                19, from: "a", rule: 0, isRetained: true, age: .seconds(90), staleAfter: .seconds(100), now: at(0))
                == true)
        #expect(room.value(now: at(9)) == 19 && room.value(now: at(10)) == nil)
        #expect(
            room.heard(
                18, from: "b", rule: 0, isRetained: true, age: .seconds(101), staleAfter: .seconds(100), now: at(0))
                == false)
        #expect(room.heard(20, from: "a", rule: 0, staleAfter: .seconds(100), now: at(20)) == true)
        #expect(
            room.heard(19, from: "a", rule: 0, isRetained: true, age: .zero, staleAfter: .seconds(100), now: at(21))
                == false)
        #expect(room.value(now: at(22)) == 20)
    }

    @Test("sensors that went make room for those that come")
    func manySensors() {
        var room = RoomSensors(combine: .max)
        func hear(_ number: Int, _ second: Double) -> Bool {
            room.heard(20, from: "id \(number)", rule: 0, staleAfter: .seconds(100), now: at(second))
        }
        #expect((0..<64).allSatisfy { hear($0, 0) } && !hear(64, 50), "more at once are a flood")
        #expect(hear(64, 100) && room.value(now: at(101)) == 20)
    }

    @Test("a kept reading without a time grows no younger at each connection")
    func keptAgain() {
        var room = RoomSensors()
        func hear(_ value: Double, _ second: Double) -> Bool {
            room.heard(value, from: "a", rule: 0, isRetained: true, staleAfter: .seconds(100), now: at(second))
        }
        #expect(hear(19, 0) && hear(19, 60))
        #expect(room.value(now: at(99)) == 19 && room.value(now: at(100)) == nil)
        #expect(!hear(19, 120) && room.value(now: at(121)) == nil)
        // Another value is another word of the sensor, said while nobody listened.
        #expect(hear(18, 130) && room.value(now: at(229)) == 18 && room.value(now: at(230)) == nil)
    }
}
