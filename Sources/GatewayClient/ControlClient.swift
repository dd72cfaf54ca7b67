import Heating
import Machine

/// hearthd, as seen through its control socket: interface `io.hearth.Gateway`, one method each.
package struct ControlClient {
    private let client: VarlinkClient

    /// - Parameter timeout: for connecting, and for each answer.
    package init(
        socket: String, interrupt: Descriptor? = nil, timeout: Duration = .seconds(5)
    ) throws(VarlinkError) {
        client = try VarlinkClient(path: socket, timeout: timeout, interrupt: interrupt)
    }

    package func status() throws(VarlinkError) -> JSON { try call("Status") }
    package func journal() throws(VarlinkError) -> JSON { try call("Journal") }
    package func doctor() throws(VarlinkError) -> JSON { try call("Doctor") }

    package func why(room: String) throws(VarlinkError) -> JSON {
        try call("Why", ["room": .string(room)])
    }

    /// Removes a room that is not in the configuration.
    package func forget(room: String) throws(VarlinkError) -> JSON {
        try call("Forget", ["room": .string(room)])
    }

    /// - Parameter span: "hour", "day", "week", "month" or "year".
    package func history(span: String) throws(VarlinkError) -> JSON {
        try call("History", ["span": .string(span)])
    }

    /// One part of an audit; the next begins at the `after` that this one has scanned through.
    package func audit(sinceSeconds: Int64, after: Int64?) throws(VarlinkError) -> JSON {
        var parameters = JSON.Object([("sinceSeconds", JSON(sinceSeconds))])
        parameters["after"] = after.map { JSON($0) }
        return try call("Audit", .object(parameters))
    }

    /// One part of the recorded readings; the next begins at the `after` that this one has scanned through.
    package func readings(sinceSeconds: Int64, after: Int64?) throws(VarlinkError) -> JSON {
        var parameters = JSON.Object([("sinceSeconds", JSON(sinceSeconds))])
        parameters["after"] = after.map { JSON($0) }
        return try call("Readings", .object(parameters))
    }

    /// The thermostats' settings of a configuration's text; those in force for nil.
    package func thermostats(configuration: String?) throws(VarlinkError) -> JSON {
        var parameters = JSON.Object()
        parameters["configuration"] = configuration.map { .string($0) }
        return try call("Thermostats", .object(parameters))
    }

    /// The search for devices at the home broker; starts one, and says how far it is.
    package func devices(seconds: Int64, again: Bool) throws(VarlinkError) -> JSON {
        try call("Devices", ["seconds": JSON(seconds), "again": .bool(again)])
    }

    /// - Parameter room: nil for every room.
    /// - Parameter pump: on, off, auto, a preset (frost, eco, comfort) or a temperature to hold, in the house's unit.
    /// - Parameter seconds: nil for the daemon's `override_ttl`.
    /// - Parameter isUntilChanged: for presets and temperatures: no end.
    /// - Parameter source: who asks, "page"; nil for a person at a terminal.
    package func override(
        room: String?, pump: String, seconds: Int64?, isUntilChanged: Bool = false, source: String? = nil
    ) throws(VarlinkError) -> JSON {
        var parameters = Self.place(room)
        parameters["pump"] = .string(pump)
        parameters["seconds"] = seconds.map { JSON($0) }
        if isUntilChanged { parameters["untilChanged"] = true }
        parameters["source"] = source.map { .string($0) }
        return try call("Override", .object(parameters))
    }

    /// What people may set, with where each value comes from.
    package func settings() throws(VarlinkError) -> JSON { try call("GetSettings") }

    /// Sets values and keeps them; null resets one.
    /// - Parameter room: nil for the house.
    package func set(room: String?, _ settings: [(key: String, value: JSON)]) throws(VarlinkError) -> JSON {
        var parameters = Self.place(room)
        parameters["settings"] = .object(.init(settings))
        return try call("Set", .object(parameters))
    }

    /// Takes back what was set.
    /// - Parameter room: nil for the house.
    /// - Parameter keys: nil for all of them.
    package func reset(room: String?, keys: [String]?) throws(VarlinkError) -> JSON {
        var parameters = Self.place(room)
        parameters["keys"] = keys.map { .array($0.map { .string($0) }) }
        return try call("Reset", .object(parameters))
    }

    private static func place(_ room: String?) -> JSON.Object {
        room.map { JSON.Object([("room", .string($0))]) } ?? JSON.Object([("all", true)])
    }

    /// Asks for a status each second; ``nextStatus()`` receives them.
    package func startStatuses() throws(VarlinkError) {
        try client.send(Self.interface + "Status", more: true)
    }

    package func nextStatus() throws(VarlinkError) -> JSON {
        let reply = try client.receive()
        guard reply.continues else { throw .closed }
        return reply.parameters
    }

    private func call(_ method: String, _ parameters: JSON? = nil) throws(VarlinkError) -> JSON {
        try client.call(Self.interface + method, parameters)
    }

    private static let interface = "io.hearth.Gateway."
}
