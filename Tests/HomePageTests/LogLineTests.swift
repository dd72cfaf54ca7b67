import Heating
import LogLines
import Logging
import Testing

@Suite struct LogLineTests {
    private let time = Timestamp(nanoseconds: 1_790_000_000_000_000_000)

    @Test func `journald gets a priority and no second time, and the message stands before its details`() {
        let line = LogLine(label: "hearth-web", isJournald: true)
        #expect(
            line.text(.notice, "listening", ["port": "8088", "address": "127.0.0.1"], at: time)
                == "<5>hearth-web: listening address=127.0.0.1 port=8088")
        #expect(line.text(.warning, "x", [:], at: time).hasPrefix("<4>"))
    }

    @Test func `a person gets the time, and no value can steer a terminal or begin a line`() {
        let line = LogLine(label: "hearth-web", isJournald: false)
        #expect(
            line.text(.info, "override", ["room": "a\u{1B}[2J\nb"], at: time)
                == "\(time) info hearth-web: override room=a\\u{1b}[2J\\u{a}b")
    }

    @Test("a threshold counts for all copies of a logger, but for one that has a level of its own")
    func threshold() {
        let threshold = LogThreshold(.info)
        var logger = Logger(label: "hearthd") { LogLine(label: $0, threshold: threshold) }
        let copy = logger
        #expect(copy.logLevel == .info)
        threshold.level = .debug
        #expect(copy.logLevel == .debug && logger.logLevel == .debug)
        logger.logLevel = .error
        threshold.level = .trace
        #expect(copy.logLevel == .trace && logger.logLevel == .error)
    }
}
