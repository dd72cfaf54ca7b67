import Testing

@testable import Heating

@Suite("Rooms that a reader of events remembers") struct PlaceTableTests {
    private func event(_ number: Int) -> ArraySlice<UInt8> {
        ArraySlice(
            #"{"home":"home\#(number / 5)","room":"room\#(number % 5)","timestamp":"2026-11-23T11:00:00","value":21.5}"#
                .utf8)
    }

    @Test("those of ten thousand homes have a place each, and nobody is taken for another")
    func tenThousandHomes() throws {
        var reader = LoggedReading.Reader()
        let rooms = 50_000
        for number in 0..<rooms { _ = reader.read(event(number)) }
        var known: [Int: Int] = [:]
        var changed = 0
        for round in 0..<2 {
            for number in 0..<rooms {
                let reading = reader.read(event(number))
                let place = try #require(reader.known).place
                if round == 0 { known[number] = place.serial } else { changed += known[number] == place.serial ? 0 : 1 }
                guard number % 97 == 0 else { continue }
                #expect(
                    reading?.home.name == "home\(number / 5)" && reading?.room.name == "room\(number % 5)")
            }
        }
        #expect(changed < rooms / 100, "\(changed) of \(rooms) had to be made anew")
    }

    @Test("more rooms than it remembers: each is still itself")
    func tooMany() throws {
        var reader = LoggedReading.Reader()
        for number in 0..<PlaceTable.limit + 20_000 { _ = reader.read(event(number)) }
        var serials: Set<Int> = []
        for number in stride(from: 0, to: PlaceTable.limit, by: 1000) {
            let reading = reader.read(event(number))
            let place = try #require(reader.known).place
            let isNew = serials.insert(place.serial).inserted
            #expect(place.slot < PlaceTable.limit && isNew)
            #expect(
                reading?.home.name == "home\(number / 5)" && reading?.room.name == "room\(number % 5)")
        }
    }
}
