import Heating

/// What a reload takes of a new configuration, and where each of its keys takes effect. A decision only.
struct Reload {
    /// A key of the file that is taken only at a start.
    struct Waiting: Equatable, Sendable {
        var key: String
        /// What this process runs with.
        var running: String
        /// What the file says.
        var file: String
    }

    /// Who takes what is new, by itself or by being started again.
    enum Effect: CaseIterable {
        /// Control, which has each new configuration within milliseconds.
        case heating
        /// Control's link to the home broker.
        case controlLink
        /// The recording side's links, which are opened again.
        case recordLink
        case uplinkLink
        /// The recording side, which is started again.
        case recordingSide
        case homeAssistant
        /// This process's log.
        case log
    }

    /// The new configuration, with what this process must go on with.
    let configuration: Configuration
    let waiting: [Waiting]

    /// - Parameter running: what this process was started with, or has taken since.
    init(_ new: Configuration, over running: Configuration) {
        var taken = new
        // A home's backlog must not leave under another home's name.
        taken.home = running.home
        taken.controlSocket = running.controlSocket
        taken.settingsFile = running.settingsFile
        configuration = taken
        waiting = [
            Waiting(key: "home", running: running.home.name, file: new.home.name),
            Waiting(key: "control.socket", running: running.controlSocket, file: new.controlSocket),
            Waiting(key: "control.settings", running: running.settingsFile, file: new.settingsFile),
        ].filter { !$0.running.utf8.elementsEqual($0.file.utf8) }
    }

    /// Who has to take what differs; both are in force, one after the other.
    static func effects(from old: Configuration, to new: Configuration) -> Set<Effect> {
        var effects: Set<Effect> = []
        if old.heating != new.heating { effects.insert(.heating) }
        if old.homeAssistant != new.homeAssistant || old.isCloudEnabled != new.isCloudEnabled {
            effects.insert(.homeAssistant)
        }
        if old.local != new.local { effects.formUnion([.controlLink, .recordLink]) }
        if old.cloud != new.cloud { effects.insert(.uplinkLink) }
        if old.logLevel != new.logLevel { effects.insert(.log) }
        if old.journal != new.journal || old.uplink != new.uplink
            || old.sensorTimeZone != new.sensorTimeZone
            || old.logLevel != new.logLevel || old.devices != new.devices
            || old.isCloudEnabled != new.isCloudEnabled
        {
            effects.insert(.recordingSide)
        }
        return effects
    }
}

extension Configuration {
    /// What Control asks for anew at each use.
    fileprivate var heating: some Equatable {
        Heating(
            unit: temperatureUnit, thermostat: thermostat, rooms: rooms, unlisted: unlisted, names: names,
            order: order,
            devices: devices, forgetAfter: forgetAfter)
    }

    private struct Heating: Equatable {
        var unit: TemperatureUnit
        var thermostat: Thermostat.Settings
        var rooms: [Room: Thermostat.Settings]
        var unlisted: [Room: Thermostat.Settings]
        var names: [Room: String]
        var order: [Room: Int]
        var devices: Devices
        var forgetAfter: Duration
    }
}

extension Finding {
    static let restartNeeded = "restart-needed"

    /// Somebody edited the file and reloaded, and would think that it counts.
    static func restartNeeded(_ waiting: Reload.Waiting) -> Finding {
        Finding(
            name: restartNeeded, severity: .notice, subject: waiting.key,
            text: .finding(
                .needsRestart,
                [
                    "key": .text(waiting.key), "file": .text(JSON.string(waiting.file).serialized()),
                    "running": .text(JSON.string(waiting.running).serialized()),
                ]),
            advice: .finding(.restartIt, command: "sudo systemctl restart hearthd"))
    }
}
