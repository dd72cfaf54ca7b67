import Foundation
import Heating
import Logging
import Testing

@testable import hearthd

@Suite("What people set above the configuration")
struct KeptSettingsTests {
    private func read(_ text: String = "") throws -> Configuration {
        try Configuration(text: "home = \"home1\"\n\(text)", file: "test", environment: [:])
    }

    private func room(_ name: String) throws -> Room { try #require(Room(name)) }

    private func refusal(
        _ room: Room?, _ key: String, _ value: JSON, _ file: Configuration, _ kept: KeptSettings = .init()
    ) -> String? {
        do throws(KeptSettings.Refusal) {
            _ = try kept.changed(room, [(key, value)], above: file)
            return nil
        } catch {
            return error.sentence.text
        }
    }

    @Test("the room's counts above the house's, which counts above the file's only where a room has nothing of its own")
    func precedence() throws {
        let file = try read("[rooms.office]\ntarget = 19\n[rooms.den]\nstale_after = \"5m\"\n")
        let (office, den, attic) = (try room("office"), try room("den"), try room("attic"))
        var kept = try KeptSettings().changed(nil, [("target", 21)], above: file)
        var sum = kept.above(file).configuration
        #expect(sum.settings(for: office).target == 19)
        #expect(sum.settings(for: den).target == 21 && sum.settings(for: attic).target == 21)
        #expect(sum.settings(for: den).staleAfter == .seconds(300))
        kept = try kept.changed(office, [("target", 20.5)], above: file)
        kept = try kept.changed(attic, [("band", 1), ("name", "Loft"), ("order", 2)], above: file)
        sum = kept.above(file).configuration
        #expect(sum.settings(for: office).target == 20.5)
        #expect(sum.settings(for: attic).band == 1 && sum.settings(for: attic).target == 21)
        #expect(
            sum.name(of: attic) == "Loft" && sum.order[attic] == 2 && sum.rooms[attic] == nil, "it can be forgotten")
        kept = try kept.changed(office, [("target", .null)], above: file)
        #expect(kept.above(file).configuration.settings(for: office).target == 19)
    }

    @Test("what is written in limits in the file is the room's own, too")
    func limitsAreOwn() throws {
        let file = try read("[rooms.office]\non_below = 19\n")
        let kept = try KeptSettings().changed(nil, [("target", 21)], above: file)
        let office = try room("office")
        #expect(kept.above(file).configuration.settings(for: office).target == nil)
    }

    @Test(
        "what makes no sense is refused with the reason",
        arguments: [
            ("target", JSON(70), "between"), ("target", JSON(-5), "between"), ("target", "warm", "must be a number"),
            ("band", JSON(0), "band"), ("mode", "heat", "auto or off"), ("presets.eco", JSON(99), "presets.eco"),
            ("schedule", ["mo 06:30 eco", "daily 25:00 eco"], "\"daily 25:00 eco\""), ("schedule", "daily", "list"),
            ("schedule", [["days": ["mon"], "time": "06:30"]], "days, time and preset"),
            ("name", "", "name must be"), ("name", "a\u{1B}[2J", "name must be"), ("order", JSON(-1), "order"),
            ("tarjet", JSON(21), "did you mean target?"),
        ] as [(String, JSON, String)])
    func refused(key: String, value: JSON, reason: String) throws {
        let said = refusal(try room("office"), key, value, try read())
        #expect(said?.contains(reason) == true, "\(said ?? "taken")")
    }

    @Test("a refusal is a code with its values: the setting's name, numbers as they were written, each wrong line")
    func codes() throws {
        let office = try room("office"), file = try read()
        func said(_ key: String, _ value: JSON) -> Sentence? {
            do throws(KeptSettings.Refusal) {
                _ = try KeptSettings().changed(office, [(key, value)], above: file)
                return nil
            } catch {
                return error.sentence
            }
        }
        #expect(
            said("band", JSON(12.25))
                == Sentence(
                    SettingSentence.beyond,
                    [
                        "setting": .sentence(Sentence(SettingName.band)), "value": .exact(12.25), "low": .exact(0.1),
                        "high": .exact(10),
                    ]))
        #expect(
            said("presets.eco", JSON(99))?.text
                == "presets.eco.target (99.0) must lie between frost_below and 35.0 (5.0 to 35.0 °C)")
        #expect(
            said("presets.eco", JSON(99))?.json["with"]?["setting"] == Sentence(SettingName.ecoTarget).json)
        let week = said("schedule", ["mo 06:30 eco", "daily 06:00 eco", "daily 25:00 eco"])
        #expect(
            week?.text == #"schedule: "mo 06:30 eco": "mo" must be days: mon-fri, sat,sun or daily; "#
                + #""daily 25:00 eco": "25:00" must be a time from 00:00 to 23:59"#)
        #expect(week?.pattern == "schedule: {problem}")
        #expect(Sentence(try #require(week).json) == week, "and crosses the socket whole")
    }

    @Test("in a house of °F values are °F, and 21 is no target there")
    func fahrenheit() throws {
        let file = try read("temperature_unit = \"F\"\n[thermostat]\non_below = 68\noff_above = 72\n")
        let office = try room("office")
        #expect(abs(file.thermostat.onBelow - 20) < 1e-9)
        let kept = try KeptSettings().changed(office, [("target", 70), ("band", 1.8)], above: file)
        let settings = kept.above(file).configuration.settings(for: office)
        #expect(abs((settings.target ?? 0) - 21.111_111) < 1e-5 && abs(settings.band - 1) < 1e-9)
        #expect(refusal(office, "target", 21, file)?.contains("41.0 to 95.0 °F") == true)
        let converted = try KeptSettings().changed(office, [("target", "21C")], above: file)
        #expect(converted.rooms[office]?.target == 21)
        #expect(
            try KeptSettings(text: kept.text, file: "x").above(try read()).configuration.settings(for: office).target
                == settings.target, "kept in °C, whatever the house reads")
    }

    @Test("the whole house off is every room off, also one that had a mode of its own")
    func houseOff() throws {
        let file = try read("[rooms.den]\nmode = \"auto\"\n")
        let (office, den) = (try room("office"), try room("den"))
        var kept = try KeptSettings().changed(office, [("mode", "auto")], above: file)
        kept = try kept.changed(nil, [("mode", "off")], above: file)
        let off = kept.above(file).configuration
        #expect(off.settings(for: office).mode == .off && off.settings(for: den).mode == .off)
        kept = try kept.changed(office, [("mode", "auto")], above: file)
        #expect(kept.above(file).configuration.settings(for: office).mode == .auto)
        #expect(kept.above(file).configuration.settings(for: den).mode == .off)
    }

    @Test("the text of the file is read back as it was meant, whatever the rooms are called")
    func roundTrip() throws {
        var kept = KeptSettings()
        let file = try read()
        kept = try kept.changed(nil, [("mode", "off"), ("presets.frost", 8)], above: file)
        for name in ["office", "living room", "a\"b", "Küche", "x.y", "\u{7f}"] {
            kept = try kept.changed(
                try room(name),
                [
                    ("target", 21.3), ("band", 0.7), ("schedule", ["mon-fri 06:30 comfort", "daily 22:00 eco"]),
                    ("name", "Küche \"oben\""), ("order", 3), ("presets.eco", 17.1),
                ], above: file)
        }
        #expect(try KeptSettings(text: kept.text, file: "x") == kept)
    }

    @Test("what does not fit a changed configuration does not count, and is told; the rest does")
    func misfit() throws {
        let office = try room("office")
        let kept = try KeptSettings().changed(office, [("target", 8)], above: try read())
            .changed(try room("den"), [("target", 20)], above: try read())
        let file = try read("[thermostat]\nfrost_below = 10\n")
        let (sum, findings) = kept.above(file)
        let den = try room("den")
        #expect(sum.settings(for: office).target == nil && sum.settings(for: den).target == 20)
        #expect(findings.map(\.room) == [office] && findings[0].text.contains("target"))
    }

    @Test("who gives a room a target gives its compressor five minutes, unless times are written")
    func minimumTimes() throws {
        let (office, den) = (try room("office"), try room("den"))
        let file = try read("[rooms.office]\nmin_on = \"0s\"\nmin_off = \"0s\"\n[rooms.den]\ntarget = 20\n")
        #expect(file.settings(for: den).minOff == .seconds(300) && file.thermostat.minOff == .zero)
        let kept = try KeptSettings().changed(nil, [("target", 21)], above: file)
            .changed(office, [("target", 19)], above: file)
        let sum = kept.above(file).configuration
        #expect(sum.settings(for: office).minOff == .zero && sum.settings(for: den).minOn == .seconds(300))
        let attic = try room("attic")
        #expect(sum.settings(for: attic).minOff == .seconds(300))
        // A pump's own times are written too.
        let pump = "[thermostat]\ntarget = 21\n[[pumps]]\nkind = \"tasmota\"\nrooms = [\"office\"]\nmin_off = \"2m\"\n"
        let times = KeptSettings().above(try read(pump)).configuration.settings(for: office)
        #expect(times.minOff == .seconds(120) && times.minOn == .seconds(300))
    }

    // MARK: - The file

    private final class Scene {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kept-\(UUID().uuidString)")
        let findings = FindingBoard()
        var path: String { directory.appendingPathComponent("settings.toml").path }

        init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: directory) }

        func file(_ path: String? = nil) -> SettingsFile {
            SettingsFile(path: path ?? self.path, findings: findings, logger: Logger(label: "test"))
        }
    }

    private func outcome(_ file: SettingsFile, _ number: Int64) async throws -> SettingsFile.Outcome {
        for _ in 0..<1000 {
            if let outcome = file.outcome(of: number) { return outcome }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ConfigurationError(problems: [])
    }

    @Test("a text is on disk under its name when that is said, and nothing else is left there")
    func written() async throws {
        let scene = try Scene()
        let file = scene.file()
        #expect(file.read().isEmpty && scene.findings.snapshot.isEmpty)
        let kept = try KeptSettings().changed(nil, [("target", 21)], above: try read())
        var last: Int64 = 0
        for _ in 0..<50 { last = file.keep(kept.text) }
        #expect(try await outcome(file, last) == .kept)
        #expect(scene.file().read() == kept)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.directory.path) == ["settings.toml"])
    }

    @Test(
        "a file that is no settings is set aside and told; the house heats by its configuration",
        arguments: [
            "target = ", "[house]\ntarget = \"warm\"\n", "[house]\ntarget = 21\nfuture = 1\n", "\u{0}\u{1}",
        ])
    func damaged(text: String) throws {
        let scene = try Scene()
        try Data(text.utf8).write(to: URL(fileURLWithPath: scene.path))
        #expect(scene.file().read().isEmpty)
        #expect(scene.findings.snapshot.map(\.name) == ["settings-damaged"])
        #expect(try String(contentsOfFile: scene.path + ".damaged", encoding: .utf8) == text)
        #expect(scene.file().read().isEmpty, "and the next start has none")
    }

    @Test("a disk that does not take it is told, and the settings count all the same")
    func refusedByTheDisk() async throws {
        let scene = try Scene()
        let file = scene.file(scene.directory.appendingPathComponent("missing/settings.toml").path)
        let settings = HouseSettings(
            try read(), kept: file.read(), file: file, findings: scene.findings, post: { _ in })
        let office = try room("office")
        let number = try #require(try settings.change(office, [("mode", "off")]))
        #expect(settings.snapshot.configuration.settings(for: office).mode == .off)
        guard case .failed(let why) = try await outcome(file, number) else { return #expect(Bool(false)) }
        #expect(why.contains("No such file"))
        #expect(scene.findings.snapshot.map(\.name) == ["settings-not-kept"])
    }
}
