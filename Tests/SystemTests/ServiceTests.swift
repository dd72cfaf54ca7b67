import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite("The daemon as a service")
    struct ServiceTests {
        @Test("SIGTERM: everything acknowledged is kept, within 5 s, exit 0; SIGINT too")
        func termination() async throws {
            for signal in [SIGTERM, SIGINT] {
                let rig = try await Rig()
                try await rig.startAndSubscribe()
                let load = try ChildProcess(
                    "hearth-sim", ["load", "--port", "\(rig.home.port)", "--rate", "2000", "--count", "4000", "--json"])
                try await eventually("readings flow") { rig.homeWire.acknowledgedCount > 300 }
                let began = ContinuousClock.now
                rig.hearthd?.send(signal)
                let exit = try await rig.hearthd?.wait(within: .seconds(6))
                #expect(exit == .code(0), "\(rig.hearthd?.output ?? "")")
                #expect(ContinuousClock.now - began < .seconds(5))
                let acknowledged = rig.acknowledged.filter { $0.contains("/temperature ") }
                load.kill()
                let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/+/temperature")
                try await rig.startAndSubscribe()
                try await eventually(within: .seconds(20), "all that was acknowledged arrives") {
                    let arrived = Set(cloud.arrivals.map { "\($0.topic.dropFirst("home1/".count)) \($0.payload)" })
                    return acknowledged.isSubset(of: arrived)
                }
            }
        }

        @Test(
            "SIGTERM ends it within 5 s, exit 0, also while a reload waits for a disk and the recording side stands still"
        )
        func terminationOfWhatHangs() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            // Nobody writes to it: opening it for reading never returns.
            try FileManager.default.removeItem(atPath: rig.configurationFile)
            #expect(mkfifo(rig.configurationFile, 0o600) == 0)
            rig.hearthd?.send(SIGHUP)
            let status = try await rig.status { $0["recording"]["pid"].int ?? 0 > 0 }
            let child = pid_t(status["recording"]["pid"].int ?? 0)
            #expect(child > 1 && kill(child, SIGSTOP) == 0)
            let began = ContinuousClock.now
            rig.hearthd?.send(SIGTERM)
            let exit = try await rig.hearthd?.wait(within: .seconds(8))
            #expect(exit == .code(0), "\(rig.hearthd?.output ?? "")")
            #expect(ContinuousClock.now - began < .seconds(5))
            // Of a process that has ended and nobody asked how the link leads nowhere.
            try await eventually("the recording side is gone") {
                !FileManager.default.fileExists(atPath: "/proc/\(child)/exe")
            }
        }

        @Test("SIGHUP with a broken file keeps the old settings and says why; a good one takes effect")
        func reload() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            let pump = try await Recorder(port: rig.home.port, topic: "office/heatpump")
            try rig.rewrite { $0 + "\n[thermostat]\non_below = \"warm\"\n" }
            rig.hearthd?.send(SIGHUP)
            try await rig.status { $0["configurationError"].string?.contains("on_below") ?? false }
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:00", "value": 18}"#, to: "office/temperature", port: rig.home.port)
            try await eventually("the old settings still heat") { !pump.arrivals.isEmpty }
            try rig.rewrite {
                $0.replacingOccurrences(of: "on_below = \"warm\"", with: "on_below = 10.0\noff_above = 12.0")
            }
            rig.hearthd?.send(SIGHUP)
            try await rig.status { $0["configurationError"].isNull && $0["rooms"][0]["offAbove"].double == 12 }
            try await eventually("18 is above the new limit") { pump.arrivals.last?.payload == #"{"status": "0"}"# }
        }

        @Test(
            "a home's new name needs a restart: said until then, and everything goes on under the old one"
        )
        func reloadNeedsRestart() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            func alarm(_ status: JSONValue) -> String? {
                status["alarms"].array?.first { $0["name"].string == "restart-needed" }?["text"].string
            }
            try rig.rewrite { $0.replacingOccurrences(of: "home = \"home1\"", with: "home = \"home2\"") }
            rig.hearthd?.send(SIGHUP)
            let status = try await rig.status { alarm($0)?.contains("home2") ?? false }
            #expect(status["home"].string == "home1")
            try await eventually("the log says so") { rig.hearthd?.output.contains("home needs a restart") ?? false }
            try rig.rewrite { $0.replacingOccurrences(of: "home = \"home2\"", with: "home = \"home1\"") }
            rig.hearthd?.send(SIGHUP)
            try await rig.status { alarm($0) == nil }
        }

        @Test("after a reload of the broker's address its own name is guarded, and the old one's is free")
        func reloadMovesTheLock() async throws {
            let rig = try await Rig()
            try await rig.startAndSubscribe()
            func isGuarded(_ port: Int) -> Bool {
                contentsOfProc("net/unix").split(separator: "\n")
                    .contains { $0.hasSuffix("@hearthd home home1 localhost:\(port)") }
            }
            #expect(isGuarded(rig.homeWire.port) && !isGuarded(rig.home.port))
            try rig.rewrite {
                $0.replacingOccurrences(of: "port = \(rig.homeWire.port)", with: "port = \(rig.home.port)")
            }
            rig.hearthd?.send(SIGHUP)
            try await eventually("the lock moves") { isGuarded(rig.home.port) && !isGuarded(rig.homeWire.port) }
            // Another gateway of this home at that broker does not start.
            let other = try rig.directory.write(
                "home = \"home1\"\n[local]\nport = \(rig.home.port)\n[journal]\npath = \"\(rig.directory.file("other"))\"\n"
                    + "[control]\nsocket = \"\"\n", to: "other.toml")
            let result = try await ChildProcess.run(ChildProcess.binary("hearthd"), ["--config", other])
            #expect(result.exit == .code(75) && result.output.contains("one gateway per home"), "\(result.output)")
        }

        @Test("a broken configuration stops the start with exit 78 and every error")
        func checkConfig() async throws {
            let directory = try TemporaryDirectory("config")
            let file = try directory.write("[local]\nport = 0\nhots = \"x\"\n", to: "bad.toml")
            for arguments in [["--config", file], ["--config", file, "--check-config"]] {
                let result = try await ChildProcess.run(ChildProcess.binary("hearthd"), arguments)
                #expect(result.exit == .code(78))
                #expect(result.output.contains("\(file):2: local.port"))
                #expect(result.output.contains("did you mean local.host?"))
                #expect(result.output.contains("home: is missing"))
            }
        }

        @Test("no home broker, no cloud, no journal directory: it runs, says so, and recovers from each")
        func nothingThere() async throws {
            let rig = try await Rig(journalDirectory: "/proc/nowhere")
            rig.homeWire.set(.refuse)
            rig.cloudWire.set(.refuse)
            try rig.start()
            let status = try await rig.status { ($0["alarms"].array?.count ?? 0) >= 2 }
            let alarms = status["alarms"].array?.compactMap { $0["name"].string } ?? []
            #expect(alarms.contains("journal-unavailable"))
            rig.homeWire.set(.pass)
            let pump = try await Recorder(port: rig.home.port, topic: "office/heatpump")
            try await rig.status { $0["links"][0]["state"].string == "connected" }
            try await publish(
                #"{"timestamp": "2026-11-23T10:00:00", "value": 18}"#, to: "office/temperature", port: rig.home.port)
            try await eventually("it heats without a journal") { !pump.arrivals.isEmpty }
            try await rig.stop()
        }
    }
}
