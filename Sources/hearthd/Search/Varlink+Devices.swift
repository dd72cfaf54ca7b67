import Glibc
import Heating
import Machine

extension VarlinkService {
    private static let usualSeconds: Int64 = 15

    /// The search for devices: starts it, and says how far it is. Never waits for it.
    func devices(_ parameters: JSON) -> VarlinkReply {
        let seconds = parameters["seconds"].flatMap { $0.isNull ? nil : $0 }?.int ?? Self.usualSeconds
        guard (1...Int64(BrokerSearch.longest)).contains(seconds) else {
            return invalid("seconds", "must be between 1 and \(BrokerSearch.longest)")
        }
        let progress = gateway.search.look(
            for: Int(seconds), again: parameters["again"]?.bool ?? false, in: gateway.snapshot.configuration,
            file: gateway.source)
        let file = gateway.source.absolutePath
        let beside = file.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(file[...$0]) } ?? ""
        return .parameters([
            "isLooking": .bool(progress.isLooking), "secondsLeft": JSON(progress.secondsLeft(now: Clock.now)),
            "topics": JSON(progress.topics), "problem": .string(progress.problem?.text ?? ""),
            "say": JSON(progress.problem) { $0.json }, "configuration": .string(file),
            "directory": .string(beside + "devices.d"), "pid": JSON(getpid()),
            "found": .array(progress.found.map(\.json)),
        ])
    }
}
