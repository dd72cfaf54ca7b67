import EventLog
import Glibc
import Heating
import Influx
import MQTT

@testable import hearth_cloud

/// `HEARTH_SEED` repeats a random test.
let givenSeed = getenv("HEARTH_SEED").flatMap { UInt64(String(cString: $0)) }

let names = LogTopics()

extension Instant {
    static func seconds(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
}

/// A reading as a sensor writes it.
func payload(_ timestamp: String, _ value: String) -> [UInt8] {
    Array("{\"timestamp\": \"\(timestamp)\", \"value\": \(value)}".utf8)
}

/// An event of `clean-data` or `raw_sensor_data` at a place in the log.
func stored(
    home: String = "home1", room: String = "office", at nanoseconds: Int64, value: String, offset: Int64,
    sequence: Int64? = nil, epoch: String? = nil, topic: String = names.clean, partition: Int32 = 0
) -> Event {
    var text = "{\"home\":\"\(home)\",\"room\":\"\(room)\",\"timestamp\":\"\(Timestamp(nanoseconds: nanoseconds))\","
    text += "\"value\":\(value)"
    if let sequence, let epoch { text += ",\"seq\":\(sequence),\"epoch\":\"\(epoch)\"" }
    return Event(
        topic: topic, key: home, value: ArraySlice((text + "}").utf8), partition: partition, offset: offset)
}

/// The home that an event says it is of.
func loggedHome(_ event: Event) -> String? {
    var reader = LoggedReading.Reader()
    return event.value.flatMap { reader.read($0) }?.home.name
}

extension StageOutput {
    /// The points as lines: series, fields and time.
    var pointLines: [(series: String, fields: String, time: Int64)] {
        points.text.split(separator: "\n").compactMap { line in
            guard let start = line.firstIndex(of: " "), let end = line.lastIndex(of: " "),
                let time = Int64(line[line.index(after: end)...])
            else { return nil }
            return (String(line[..<start]), String(line[line.index(after: start)..<end]), time)
        }
    }

    /// Points as series and time → fields, the last one standing, as a database keeps them.
    var table: [String: String] {
        var table: [String: String] = [:]
        for line in pointLines { table["\(line.series) \(line.time)"] = line.fields }
        return table
    }
}
