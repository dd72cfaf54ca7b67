import Heating
import Logging
import MQTT
import ServiceLifecycle
import UnixSignals

/// Runs the lanes and the control socket until the process is told to stop.
struct GatewayService: Service {
    let gateway: Gateway
    let socket: ControlSocket
    let notifier: ServiceNotifier

    func run() async throws {
        gateway.start()
        socket.start()
        gateway.history.start(gateway)
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
    let source: ConfigurationSource
    let notifier: ServiceNotifier

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            notifier.reloading()
            do throws(ConfigurationError) {
                gateway.adopt(try source.read())
                gateway.logger.notice("configuration reloaded")
            } catch {
                gateway.keepOld(because: error)
                gateway.logger.error("the old configuration stays", metadata: ["error": "\(error)"])
            }
            notifier.ready(status: StatusLine.text(gateway))
        }
    }
}

/// Tells systemd once a second or so how things are, and feeds its watchdog while every lane advances.
struct HeartbeatService: Service {
    let gateway: Gateway
    let notifier: ServiceNotifier

    func run() async throws {
        let interval = min(notifier.watchdogInterval ?? .seconds(5), .seconds(5))
        var lastStatus = ""
        var beats = 0
        while !Task.isShuttingDownGracefully {
            let status = StatusLine.text(gateway)
            if status != lastStatus { notifier.status(status) }
            lastStatus = status
            if gateway.lanesAdvance(within: interval * 2 + .seconds(5)) { notifier.watchdog() }
            beats += 1
            // By the second the lanes have started; what they need again comes back with their next turns.
            if beats == 2 { StartupMemory.release() }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
        }
    }
}

extension Gateway {
    /// Whether all three lanes have turned within `limit`. A lane that is connecting may sit in name resolution, which
    /// no deadline of ours can cut short; that is the network's state and not a hang.
    func lanesAdvance(within limit: Duration) -> Bool {
        let state = snapshot
        let oldest = Clock.bootNanoseconds - limit.wholeNanoseconds
        guard let record = state.record, let uplink = state.uplink else {
            // The opener blocks in the disk at worst; control must not be restarted for that.
            return control.progress >= oldest || control.isConnecting
        }
        return [control, record, uplink].allSatisfy { $0.progress >= oldest || $0.isConnecting }
    }
}
