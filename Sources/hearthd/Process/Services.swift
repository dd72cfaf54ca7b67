import Glibc
import Heating
import Logging
import MQTT
import Machine
import ServiceLifecycle
import UnixSignals

/// Runs the lanes and the control socket until the process is told to stop.
struct GatewayService: Service {
    let gateway: Gateway
    let socket: ControlSocket
    let notifier: ServiceNotifier

    func run() async throws {
        socket.start()
        gateway.start(news: { [socket] in socket.news() })
        notifier.ready(status: "starting")
        try? await gracefulShutdown()
        notifier.stopping()
        await withCheckedContinuation { continuation in
            // Stopping blocks on brokers and the disk; it must not sit on the concurrency pool.
            startThread("stop") {
                socket.stop()
                gateway.stop()
                continuation.resume()
            }
        }
    }
}

/// SIGHUP re-reads the configuration; an invalid one keeps the old and says why.
struct ReloadService: Service {
    let gateway: Gateway
    let lock: GatewayLock
    let source: ConfigurationSource
    let notifier: ServiceNotifier

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            notifier.reloading()
            await withCheckedContinuation { continuation in
                // The file may lie on a disk that hangs; it must not sit on the concurrency pool.
                startThread("reload") {
                    reload()
                    continuation.resume()
                }
            }
            notifier.ready(status: StatusLine.text(gateway))
        }
    }

    private func reload() {
        do throws(ConfigurationError) {
            let new = try source.read()
            try guardWhatItNeeds(new)
            let waiting = gateway.adopt(new)
            gateway.logger.notice("configuration reloaded")
            for waiting in waiting {
                let finding = Finding.restartNeeded(waiting)
                gateway.logger.warning("\(finding.text)", metadata: ["advice": "\(finding.advice)"])
            }
        } catch {
            gateway.keepOld(because: error)
            gateway.logger.error("the old configuration stays", metadata: ["error": "\(error)"])
        }
    }

    /// Another broker or journal may be another gateway's.
    private func guardWhatItNeeds(_ new: Configuration) throws(ConfigurationError) {
        do throws(GatewayLock.Held) {
            try lock.follow(Reload(new, over: gateway.snapshot.file).configuration)
        } catch {
            throw ConfigurationError(
                problems: [.init(line: nil, key: "", message: "\(error)", file: source.path)])
        }
    }
}

/// Ends the process in time whatever hangs: a reload whose disk does not answer, a recording side that does not end, a
/// machine that gives nobody time. What is cut off was never acknowledged, and what waits in the journal goes out next time.
///
/// The last service of its group, so that the group tells it first; it waits for nobody.
struct EndingService: Service {
    /// After SIGTERM. Five seconds are promised.
    private static let patience: Int64 = 4_500_000_000

    let gateway: Gateway

    func run() async throws {
        // A group that fails ends by itself, with another exit code.
        try await gracefulShutdown()
        // At once, and not after the other services.
        gateway.forward.askToStop()
        startThread("ending") { [gateway] in
            Clock.sleep(Self.patience)
            gateway.logger.warning("stopping takes too long; ending now")
            gateway.forward.stop(within: 0)
            _exit(0)
        }
    }
}

/// Tells systemd every few seconds how things are, and the cloud by way of the recording side, and feeds systemd's watchdog
/// while Control advances. The recording side has its own watchdog, ``ForwardProcess``.
struct HeartbeatService: Service {
    let gateway: Gateway
    let lock: GatewayLock
    let notifier: ServiceNotifier

    func run() async throws {
        let interval = min(notifier.watchdogInterval ?? .seconds(5), .seconds(5))
        var lastStatus = ""
        while !Task.isShuttingDownGracefully {
            lock.dismissAskers()
            gateway.showItself()
            gateway.forward.tell(findings: StatusReport(gateway).findings.map(\.name))
            let status = StatusLine.text(gateway)
            if status != lastStatus { notifier.status(status) }
            lastStatus = status
            if gateway.advances(within: interval * 2 + .seconds(5)) { notifier.watchdog() }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
        }
    }
}

extension Gateway {
    /// Tells Home Assistant how the gateway is, as far as this process knows.
    func showItself() {
        guard snapshot.configuration.homeAssistant.discovery else { return }
        mailbox.post(GatewayState(StatusReport(self)))
        control.wake()
    }

    /// Whether Control has turned within `limit`. One that is connecting may sit in name resolution, which no deadline of
    /// ours can cut short; that is the network's state and not a hang.
    func advances(within limit: Duration) -> Bool {
        control.progress >= Clock.bootNanoseconds - limit.wholeNanoseconds || control.isConnecting
    }
}
