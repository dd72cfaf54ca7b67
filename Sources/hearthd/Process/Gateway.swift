import Heating
import Logging
import MQTT
import Machine
import Synchronization

/// The composition root of the heating: Control, its boards and the process that records and forwards.
///
/// Its only peer is the home broker. Disk, journal and cloud are the child's (``ForwardProcess``): neither can keep a house
/// cold, whatever becomes of them.
final class Gateway: Sendable {
    let startedAt = Clock.wall
    let startedBoot = Clock.bootNanoseconds
    let logger: Logger
    let controlBoard = ControlBoard()
    let controlFindings = FindingBoard()
    let mailbox = ControlMailbox()
    let control: Connection
    let forward: ForwardProcess
    /// The configuration in force, and the only way to another.
    let settings: HouseSettings
    let settingsFile: SettingsFile
    let settingsFindings = FindingBoard()
    let search: BrokerSearch
    /// The configuration's file, for who writes beside it.
    let source: ConfigurationSource
    /// The home that this process was started for.
    private let home: HomeID

    init(configuration: Configuration, source: ConfigurationSource, logger: Logger) {
        self.logger = logger
        self.source = source
        search = BrokerSearch(logger: logger)
        home = configuration.home
        settingsFile = SettingsFile(path: configuration.settingsFile, findings: settingsFindings, logger: logger)
        settings = HouseSettings(
            configuration, kept: settingsFile.read(), file: settingsFile, findings: settingsFindings
        ) { [mailbox] in mailbox.post($0) }
        forward = ForwardProcess(settings: configuration.text, logger: logger)
        let sum = settings.snapshot.configuration
        control = Connection(.control(configuration), name: "control") {
            [mailbox, controlBoard, controlFindings, settings] in
            ControlLane(
                configuration: sum, mailbox: mailbox, board: controlBoard, findings: controlFindings,
                settings: settings, logger: logger.lane("control"))
        }
    }

    var snapshot: HouseSettings.State { settings.snapshot }

    /// - Parameter news: called when the recording side has said something; must not block.
    func start(news: @escaping @Sendable () -> Void) {
        do throws(StartError) {
            try control.start()
        } catch {
            // The watchdog sees it stand still, and the next start has a fresh process.
            logger.critical("heating cannot start", metadata: ["error": "\(error)"])
        }
        settingsFile.start(news: news)
        forward.start(
            .init(
                cloudLink: { [mailbox, control] isUp in
                    mailbox.post(cloudLink: isUp)
                    control.wake()
                },
                command: { [mailbox, control] room, command in
                    let wish = ControlMailbox.Wish(
                        what: .pump(isOn: command.isOn), end: command.duration.map { .after($0) }, source: .cloud)
                    _ = mailbox.post(wish, for: room)
                    control.wake()
                },
                news: news))
    }

    /// Stops both sides. Blocks up to about four and a half seconds.
    func stop() {
        // Both end side by side.
        forward.askToStop()
        control.stop(within: 500_000_000)
        forward.stop(within: 4_000_000_000)
    }

    // MARK: Settings

    /// Takes a new configuration: thermostats and links at once, the recording side in a new process where it must; what
    /// cannot change while running is named in the log.
    func adopt(_ new: Configuration) {
        let old = settings.adopt(new).old
        control.wake()
        let (before, after) = (ConnectionSettings.control(old), ConnectionSettings.control(new))
        // With TLS also when nothing changed here: files may have.
        if before != after || new.local.tls != nil || new.local.passwordFile != nil { control.reconfigure(after) }
        var forwarded = new
        // A home's backlog must not leave under another home's name.
        forwarded.home = home
        let mustRestart =
            old.journal != new.journal || old.uplink != new.uplink || old.sensorTimeZone != new.sensorTimeZone
            || old.logLevel != new.logLevel || old.devices != new.devices || old.isCloudEnabled != new.isCloudEnabled
        forward.adopt(forwarded.text, restarting: mustRestart)
        for (key, changed) in [
            ("home", home != new.home), ("control.socket", old.controlSocket != new.controlSocket),
            ("control.settings", old.settingsFile != new.settingsFile),
        ] where changed {
            logger.warning(
                "this key takes effect at the next start: systemctl restart hearthd", metadata: ["key": "\(key)"])
        }
    }

    func keepOld(because error: ConfigurationError) {
        settings.keepOld(because: error.description)
    }

    // MARK: Overrides

    /// Hands a person's wish to Control; it takes effect within milliseconds.
    func post(_ wish: ControlMailbox.Wish, for room: Room) -> Bool {
        guard mailbox.post(wish, for: room) else { return false }
        control.wake()
        return true
    }
}
