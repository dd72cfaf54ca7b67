import Heating

/// Where devices are written that others may be in the way of, over all files.
struct WrittenTables {
    /// Of each sensor, in their order.
    var sensors: [String] = []
    /// Of each message that a pump or a valve is told.
    var commands: [ExactString: String] = [:]
}

/// What no table can know by itself: whether another one is in its way.
extension ConfigurationReader {
    /// A sensor that would never be asked, or that would take everything at the broker for its own.
    mutating func check(_ rule: SensorRule, _ path: [String], beside others: [SensorRule], _ written: WrittenTables) {
        if rule.topic.takesAll {
            report(
                path + ["topic"], "takes every topic at the broker: write at least one level of it, such as \"home/#\"")
        }
        guard let first = others.firstIndex(where: rule.neverCounts(behind:)) else { return }
        let advice =
            rule.topic == others[first].topic
            ? "has topic, measure and room of the table at \(written.sensors[first]), which counts, and would never be asked: take one "
                + "of the two out, or write another measure or room"
            : "is about topics that the table at \(written.sensors[first]) takes, and would never be asked: write this table before it"
        report(path, advice)
    }

    /// Two tables that tell one device what to do would work against each other.
    mutating func checkCommands(of pump: PumpRule, _ path: [String], _ written: inout WrittenTables) {
        let here = place(of: path)
        let messages = [true, false].flatMap { pump.commands(isOn: $0, target: 20) }
        let keys = messages.map { ExactString("\($0.topic)\0\(String(decoding: $0.payload, as: UTF8.self))") }
        let others = written.commands
        if let first = keys.compactMap({ others[$0] }).first {
            report(
                path,
                "tells \"\(escapingControls(pump.mainTopic))\" the same as the table at \(first): of one device write one table, with all "
                    + "its rooms")
        }
        for key in keys where written.commands[key] == nil { written.commands[key] = here }
    }

    /// A kind of one's own is right before anybody uses it: what is wrong is said where it is written.
    mutating func check(_ kind: DeviceKind, _ path: [String]) {
        var sensor = kind.sensor
        sensor.topic = sensor.topic ?? "topic"
        sensor.room = sensor.room ?? "room"
        do throws(DeviceTableErrors) { _ = try SensorRule(kind: kind.name, sensor) } catch {
            reportWritten(error, path)
        }
        var pump = kind.pump
        (pump.command, pump.rooms) = (pump.command ?? "topic", ["room"])
        do throws(DeviceTableErrors) { _ = try PumpRule(kind: kind.name, pump) } catch { reportWritten(error, path) }
    }

    private mutating func reportWritten(_ errors: DeviceTableErrors, _ path: [String]) {
        report(DeviceTableErrors(errors.errors.filter { isWritten(path + [$0.key]) }), below: path)
    }
}
