import Heating
import Synchronization

/// The configuration in force: the file's, with what people have set above it. Whoever changes either does it here; Control gets
/// the sum through its mailbox and never meets the file.
final class HouseSettings: Sendable {
    struct State: Sendable {
        /// As the file says.
        var file: Configuration
        var kept: KeptSettings
        /// The sum.
        var configuration: Configuration
        /// Why the last reload kept the old settings.
        var configurationError: String?
    }

    let file: SettingsFile
    private let findings: FindingBoard
    private let post: @Sendable (Configuration) -> Void
    private let state: Mutex<State>

    /// - Parameter post: hands a new sum to Control; must not block.
    init(
        _ configuration: Configuration, kept: KeptSettings, file: SettingsFile, findings: FindingBoard,
        post: @escaping @Sendable (Configuration) -> Void
    ) {
        (self.file, self.findings, self.post) = (file, findings, post)
        let sum = kept.above(configuration)
        state = Mutex(State(file: configuration, kept: kept, configuration: sum.configuration))
        Self.tell(sum.findings, findings)
    }

    var snapshot: State { state.withLock { $0 } }

    /// A reload.
    func adopt(_ configuration: Configuration) {
        let told = state.withLock { state in
            let sum = state.kept.above(configuration)
            (state.file, state.configuration, state.configurationError) = (configuration, sum.configuration, nil)
            // In the lock, so that Control gets the sums in their order.
            post(sum.configuration)
            return sum.findings
        }
        Self.tell(told, findings)
    }

    func keepOld(because problem: String) { state.withLock { $0.configurationError = problem } }

    /// Changes what is kept. It counts within milliseconds, and is written as soon as the disk takes it.
    /// - Parameter room: nil for the house.
    /// - Returns: a number to ask ``SettingsFile/outcome(of:)`` with; nil when nothing changed.
    /// - Throws: why it makes no sense; then nothing has changed.
    func change(_ room: Room?, _ changes: [(key: String, value: JSON)]) throws(KeptSettings.Refusal) -> Int64? {
        let outcome = state.withLock { state -> Result<(Int64?, [Finding]), KeptSettings.Refusal> in
            do throws(KeptSettings.Refusal) {
                let kept = try state.kept.changed(room, changes, above: state.file)
                guard kept != state.kept else { return .success((nil, [])) }
                let sum = kept.above(state.file)
                (state.kept, state.configuration) = (kept, sum.configuration)
                post(sum.configuration)
                return .success((file.keep(kept.text), sum.findings))
            } catch {
                return .failure(error)
            }
        }
        let (number, told) = try outcome.get()
        Self.tell(told, findings)
        return number
    }

    /// A person's wish about a room's mode. One that counts without being kept is not kept.
    func set(_ mode: Thermostat.Mode, of room: Room) {
        let isSo = snapshot.configuration.settings(for: room).mode == mode
        guard !isSo else { return }
        // A mode makes sense everywhere.
        _ = try? change(room, [("mode", .string(mode.rawValue))])
    }

    /// A room is gone for good.
    func forget(_ room: Room) {
        _ = try? change(room, SettingKey.allCases.map { ($0.rawValue, .null) })
    }

    private static func tell(_ told: [Finding], _ findings: FindingBoard) {
        findings.resolveAll(Finding.settingsDoNotFit)
        for finding in told { findings.report(finding) }
    }
}
