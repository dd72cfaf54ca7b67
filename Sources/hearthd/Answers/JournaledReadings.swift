import Heating
import Journal

/// One part of the journaled readings, for `hearth replay`: what arrived from the sensors, whatever it was worth.
///
/// Looks at no more than ``rowsPerCall`` rows, so that the control socket answers others soon; the caller goes on from
/// `scannedThrough`.
struct JournaledReadings {
    static let rowsPerCall = 4096

    let json: JSON

    init(_ report: ForwardSnapshot, seconds: Int64, after: Int64?) throws(Audit.Failure) {
        guard let journal = report.state.journal else {
            throw Audit.Failure(message: report.state.journalError ?? "the journal is not open yet")
        }
        if report.isStuck { throw Audit.Failure(message: "the disk does not answer") }
        do throws(JournalError) {
            var start = after
            if start == nil {
                start = try Audit.firstRow(of: journal, since: report.wall.nanoseconds - seconds * 1_000_000_000) - 1
            }
            let batch = try journal.read(after: start ?? 0, rows: Self.rowsPerCall)
            json = [
                "readings": .array(batch.records.compactMap(Self.reading)),
                "scannedThrough": JSON(batch.scannedThrough),
                "more": .bool(batch.scannedThrough < journal.status.newest && batch.scannedThrough > start ?? 0),
            ]
        } catch {
            throw Audit.Failure(message: "\(error)")
        }
    }

    /// `[room, arrival in wall nanoseconds, °C]`.
    private static func reading(_ record: Journal.Record) -> JSON? {
        guard case .temperature(let room)? = HomeTopic(record.topic),
            let reading = try? Reading(payload: record.payload)
        else { return nil }
        return [.string(room.name), JSON(record.receivedAt), JSON(reading.value)]
    }
}

extension Configuration {
    /// The thermostats' settings, for `hearth replay`.
    var thermostats: JSON {
        [
            "thermostat": thermostat.json,
            "rooms": .object(.init(rooms.sorted { $0.key < $1.key }.map { ($0.key.name, $0.value.json) })),
        ]
    }
}
