import Heating
import LogLines
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
    private let threshold: LogThreshold

    /// - Parameter threshold: of `logger`, which follows the configuration.
    init(configuration: Configuration, source: ConfigurationSource, threshold: LogThreshold, logger: Logger) {
        self.logger = logger
        self.threshold = threshold
        self.source = source
        search = BrokerSearch(logger: logger)
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

    /// Stops both sides. Blocks up to about three and a half seconds; a machine without time to give needs the rest of five.
    func stop() {
        // Both end side by side.
        forward.askToStop()
        control.stop(within: 500_000_000)
        forward.stop(within: 3_000_000_000)
    }

    // MARK: Settings

    /// Takes a new configuration: thermostats, links and log at once, the recording side in a new process where it must.
    ///
    /// - Returns: what cannot change while running; findings tell it until the file agrees or the next start.
    func adopt(_ file: Configuration) -> [Reload.Waiting] {
        let before = settings.snapshot.file
        let reload = Reload(file, over: before)
        let new = reload.configuration
        settings.adopt(new)
        let effects = Reload.effects(from: before, to: new)
        control.wake()
        // With TLS also when nothing changed here: files may have.
        if effects.contains(.controlLink) || new.local.tls != nil || new.local.passwordFile != nil {
            control.reconfigure(.control(new))
        }
        threshold.level = Logger.Level(rawValue: new.logLevel) ?? .info
        forward.adopt(new.text, restarting: effects.contains(.recordingSide))
        settingsFindings.resolveAll(Finding.restartNeeded)
        for waiting in reload.waiting { settingsFindings.report(.restartNeeded(waiting)) }
        return reload.waiting
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
