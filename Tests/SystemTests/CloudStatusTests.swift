import TestSupport
import Testing

extension SystemTests {
    @Suite("What the cloud is told of a home")
    struct CloudStatusTests {
        @Test("what a person would be told is in its retained status by name, and goes when it is over")
        func findings() async throws {
            let rig = try await Rig()
            defer { rig.kill() }
            let cloud = try await Recorder(port: rig.cloud.port, topic: "home1/gateway/status")
            let gone = "no-home-broker"
            func alarms() -> [String]? {
                guard let last = cloud.arrivals.last, let status = try? JSONValue(text: last.payload) else {
                    return nil
                }
                return status["alarms"].array?.compactMap(\.string)
            }
            try await rig.startAndSubscribe()
            try await eventually("the home broker is there") { alarms()?.contains(gone) == false }
            rig.home.kill()
            try await eventually(
                within: .seconds(20), "the cloud knows that the home broker is gone: \(cloud.arrivals)"
            ) {
                alarms()?.first == gone
            }
            try await rig.home.restart()
            try await eventually(within: .seconds(30), "and that it is back") { alarms()?.contains(gone) == false }
            // Who asks now is told the same.
            let late = try await Recorder(port: rig.cloud.port, topic: "home1/gateway/status")
            try await eventually("it is retained") { late.arrivals.last?.payload.contains("alarms") ?? false }
        }
    }
}
