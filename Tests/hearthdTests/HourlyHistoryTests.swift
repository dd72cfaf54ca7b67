import Glibc
import Heating
import Testing

@testable import hearthd

@Suite struct HourlyHistoryTests {
    private let hour: Int64 = 3_600_000_000_000
    private let minute: Int64 = 60_000_000_000
    /// An hour at which a day begins in UTC, and its nanoseconds.
    private let first: Int64 = 20_784 * 24
    private var start: Int64 { first * hour }
    private let office = Room("office")!

    private func file() -> HourlyFile {
        HourlyFile(journal: "/tmp/hearth-hours-\(UInt64.random(in: 0...UInt64.max)).sqlite")
    }

    private func removing(_ file: HourlyFile, _ body: () throws -> Void) rethrows {
        defer { unlink(file.path) }
        try body()
    }

    @Test func `an hour ends with the first sign of the next, with mean, extremes, running time and starts`() {
        var hours = HourlyHistory()
        for (minutes, value) in [(0, 18.0), (20, 21.0), (40, 24.0)] {
            #expect(hours.temperature(value, in: office, at: start + Int64(minutes) * minute).isEmpty)
        }
        // On at 10, repeated, off at 25, on again at 50: two starts, 15 + 10 minutes of 50 that are known.
        for (minutes, isOn) in [(10, false), (10, true), (20, true), (25, false), (50, true)] {
            #expect(hours.pump(isOn, in: office, at: start + Int64(minutes) * minute).isEmpty)
        }
        let ended = hours.temperature(20, in: office, at: start + hour + minute)
        #expect(
            ended == [
                RoomHour(
                    hour: first, room: office, readings: 3, mean: 21, low: 18, high: 24, knownSeconds: 3000,
                    onSeconds: 1500, starts: 2)
            ])
        let open = hours.unfinished(at: start + hour + 2 * minute)
        #expect(open.map(\.readings) == [1] && open.map(\.onSeconds) == [120])
    }

    @Test func `a pump that nobody commands any more is not taken to run for ever`() {
        var hours = HourlyHistory()
        _ = hours.pump(true, in: office, at: start + 30 * minute)
        let ended = hours.advance(to: start + 500 * hour)
        #expect(ended.map(\.hour) == [first, first + 1] && ended.map(\.onSeconds) == [1800, 1800])
        #expect(hours.advance(to: start + 600 * hour).isEmpty)
    }

    @Test func `a clock that is set back begins anew`() {
        var hours = HourlyHistory()
        _ = hours.temperature(20, in: office, at: start + 100 * hour)
        #expect(hours.temperature(21, in: office, at: start).isEmpty)
        #expect(hours.advance(to: start + hour).map(\.mean) == [21])
    }

    @Test func `a file gives back what was written, whatever the room is called`() throws {
        let file = file()
        removing(file) {
            let rows = [office, Room("living, \"room\"\n2")!, Room("ключ")!].map {
                RoomHour(
                    hour: first, room: $0, readings: 2, mean: 20.25, low: -3, high: 21, knownSeconds: 60, onSeconds: 1)
            }
            file.append(rows)
            file.append([RoomHour(hour: first + 1, room: office, readings: 1, mean: 19, low: 19, high: 19)])
            #expect(
                file.rows() == rows + [
                    RoomHour(hour: first + 1, room: office, readings: 1, mean: 19, low: 19, high: 19)
                ])
            #expect(file.rows(since: first + 1).count == 1)
        }
    }

    @Test func `a line that a power cut left, and any other nonsense, costs itself only`() throws {
        let file = file()
        try removing(file) {
            let row = RoomHour(hour: first, room: office, readings: 1, mean: 20, low: 20, high: 20)
            file.append([row])
            let whole = try #require(bytes(of: file))
            for cut in 0..<whole.count {
                #expect(write(Array(whole[..<cut]) + Array("\n9,nan,\u{FFFD}".utf8), to: file))
                file.append([row])
                #expect(file.rows().last == row && file.rows().count <= 2)
            }
        }
    }

    @Test func `what is older than two years goes, and nothing else`() throws {
        let file = file()
        removing(file) {
            let now = first + HourlyFile.keptHours
            let rows = [first - 1, first, now].map {
                RoomHour(hour: $0, room: office, readings: 1, mean: 20, low: 20, high: 20)
            }
            file.append(rows)
            file.tidy(hour: now)
            #expect(file.rows() == Array(rows.dropFirst()))
        }
    }

    @Test func `a week has hours, a year has days as the box's clock begins them`() throws {
        let rows = [(0, 18.0, 900), (1, 22.0, 0), (23, 20.0, 900), (24, 10.0, 0)].map {
            RoomHour(
                hour: first + Int64($0.0), room: office, readings: 5, mean: $0.1, low: $0.1 - 1, high: $0.1 + 1,
                knownSeconds: 3600, onSeconds: Int64($0.2), starts: 2)
        }
        let now = start + 24 * hour + minute
        let week = try #require(HourlyHistory.json(rows, .week, now: now, zoneHours: 0)["rooms"]?[0])
        #expect(week["temperature"]?.array?.suffix(2) == [20.0, 10.0])
        #expect(week["pump"]?.array?.suffix(2) == [0.25, 0.0])
        let year = HourlyHistory.json(rows, .year, now: now, zoneHours: 0)
        #expect(year["step"]?.double == 86400 && year["count"]?.int == 366)
        let room = try #require(year["rooms"]?[0])
        #expect(room["temperature"]?.array?.suffix(3) == [nil, 20.0, 10.0])
        #expect(room["low"]?.array?.suffix(2) == [17.0, 9.0])
        #expect(room["high"]?.array?.suffix(2) == [23.0, 11.0])
        #expect(room["pump"]?.array?.suffix(2) == [0.17, 0.0])
        #expect(room["starts"]?.array?.suffix(2) == [6, 2])
        // An hour east of Greenwich the day is an hour ahead: the hour 23 belongs to the next one.
        let east = try #require(HourlyHistory.json(rows, .year, now: now, zoneHours: 1)["rooms"]?[0])
        #expect(east["temperature"]?.array?.suffix(2) == [20.0, 15.0])
    }

    @Test func `hours outdoors are kept beside the rooms', and drawn in weeks, months and years`() throws {
        let file = file()
        let (garden, outdoor) = (try #require(Room("garden, \"north\"")), try #require(Measure("outdoor")))
        var hours = HourlyHistory()
        for (minutes, value) in [(0, -2.0), (30, 5.0)] {
            _ = hours.temperature(value, of: outdoor, in: garden, at: start + Int64(minutes) * minute)
        }
        _ = hours.temperature(20, in: garden, at: start + 40 * minute)
        let ended = hours.advance(to: start + hour)
        let row = RoomHour(
            hour: first, room: garden, measure: outdoor, readings: 2, mean: 1.5, low: -2, high: 5)
        #expect(ended.contains(row) && ended.count == 2)
        removing(file) {
            file.append(ended)
            #expect(file.rows() == ended)
            for span in HourlyHistory.Span.allCases {
                let json = HourlyHistory.json(file.rows(), span, now: start, zoneHours: 0)
                #expect(json["rooms"]?.array?.count == 1 && json["outdoor"]?["measure"]?.string == "outdoor")
                #expect(["temperature", "low", "high"].map { json["outdoor"]?[$0]?.array?.last } == [1.5, -2.0, 5.0])
            }
            let inside = HourlyHistory.json(
                file.rows().filter { !$0.source.isOutdoors }, .week, now: start, zoneHours: 0)
            #expect(inside["outdoor"]?.isNull == true)
        }
    }

    @Test func `of an hour that comes twice the later row counts`() throws {
        let rows = [18.0, 21.0].map { RoomHour(hour: first, room: office, readings: 1, mean: $0, low: $0, high: $0) }
        let week = try #require(HourlyHistory.json(rows, .week, now: start, zoneHours: 0)["rooms"]?[0])
        #expect(week["temperature"]?.array?.last == 21.0)
    }

    private func bytes(of file: HourlyFile) -> [UInt8]? {
        let descriptor = open(file.path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    private func write(_ bytes: [UInt8], to file: HourlyFile) -> Bool {
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }
}
