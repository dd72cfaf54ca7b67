import GatewayClient
import Glibc
import Heating
import Machine

/// Asks hearthd to look at the home broker, and writes what was found where it reads devices.
struct DeviceLook {
    var options: GatewayOptions
    var seconds: Int64
    var rooms: [DeviceChoice]
    var pumps: [DeviceChoice]
    /// The rooms that are written; none: all.
    var only: [String] = []

    /// What hearthd said at the end.
    struct Answer {
        var json: JSON
        var devices: [OfferedDevice]

        var directory: String { json["directory"]?.string ?? "" }
        var configuration: String { json["configuration"]?.string ?? "" }
        var problem: String { json["problem"]?.string ?? "" }
    }

    /// Waits until hearthd has looked for so long.
    func ask() throws(Problem) -> Answer {
        let progress = options.json || !Output.error.isTerminal ? nil : Output.error
        var again = true
        while true {
            let reply = try options.withGateway { (gateway) throws(VarlinkError) in
                try gateway.devices(seconds: seconds, again: again)
            }
            again = false
            guard reply["isLooking"]?.bool == true else {
                try progress?.write("\r\u{1B}[K")
                return try answer(reply)
            }
            let (left, topics) = (reply["secondsLeft"]?.int ?? 0, reply["topics"]?.int ?? 0)
            try progress?.write("\rlooking at the home broker: \(topics) topics, \(left) s left \u{1B}[K")
            _ = poll(nil, 0, 250)
        }
    }

    private func answer(_ reply: JSON) throws(Problem) -> Answer {
        let found = (reply["found"]?.array ?? []).map(OfferedDevice.init)
        let (devices, unused) = chosen(found, rooms: rooms, pumps: pumps)
        if let unused = unused.first {
            let names = found.map { printableName($0.name) }.joined(separator: ", ")
            throw Problem(
                "no device named '\(printable(unused.name))' was found",
                advice: names.isEmpty ? "look longer: --for 60s" : "choose from \(names)", exitCode: EXIT_FAILURE)
        }
        for pump in pumps {
            // Of two bridges each may have a plug of this name, and one room's heat pump is one of them.
            let meant = devices.filter { !$0.isSensor && pump.isAbout($0) }
            guard meant.count > 1 else { continue }
            let topics = meant.map { "'\(printable($0.topic))'" }.joined(separator: ", ")
            throw Problem(
                "\(meant.count) devices are named '\(printable(pump.name))'",
                advice: "write the topic in place of the name: \(topics)", exitCode: EXIT_FAILURE)
        }
        return Answer(json: reply, devices: devices)
    }

    // MARK: Writing

    /// - Parameters:
    ///   - directory: nil: where hearthd reads.
    ///   - isConfirmed: nobody is asked.
    func write(_ answer: Answer, in directory: String?, isConfirmed: Bool) throws {
        let files = WrittenDevices.files(for: answer.devices.filter(isWanted))
        let place = directory ?? answer.directory
        guard !files.isEmpty else {
            return try Output.standard.write(lines: ["", "Nothing new to write."])
        }
        if !isConfirmed { try confirm(files.count, place) }
        var written: [String] = []
        do {
            for file in files { written.append(try file.write(in: place)) }
            if directory == nil { try check(answer.configuration) }
        } catch {
            for path in written { unlink(path) }
            throw error
        }
        guard !options.json else { return try options.write(["written": .array(written.map { .string($0) })]) }
        let pid = answer.json["pid"]?.int.map { " (without systemd: kill -HUP \($0))" } ?? ""
        try Output.standard.write(
            lines: [""] + written.map { "wrote \(printable($0))" } + [
                directory == nil
                    ? "hearthd reads them at: sudo systemctl reload hearthd\(pid)"
                    : "hearthd reads files of \(printable(answer.directory)); put them there, then: sudo systemctl reload hearthd\(pid)"
            ])
    }

    private func isWanted(_ device: OfferedDevice) -> Bool {
        let rooms = device.isSensor ? [device.room ?? ""] : device.rooms
        return only.isEmpty || rooms.contains { room in only.contains { ExactString($0) == ExactString(room) } }
    }

    private func confirm(_ count: Int, _ place: String) throws(Problem) {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Problem("nobody is there to be asked", advice: "write --yes to have it written", exitCode: EX_USAGE)
        }
        try Output.standard.write(
            "\nWrite \(count == 1 ? "this" : "these \(count) files") to \(printable(place))? [y/N] ")
        guard let line = readLine(), ["y", "yes"].contains(line.lowercased()) else {
            throw Problem("nothing was written", exitCode: EXIT_FAILURE)
        }
    }

    /// Lets hearthd judge its file with the new ones beside it. They go again when it would not take them.
    private func check(_ configuration: String) throws(Problem) {
        guard let check = configurationCheck(named: configuration), check.state == .error else { return }
        throw Problem(
            "hearthd would not take what was found; nothing was written. \(printable(check.detail))",
            advice: "write the table yourself: hearth devices shows it", exitCode: EX_CONFIG)
    }
}
