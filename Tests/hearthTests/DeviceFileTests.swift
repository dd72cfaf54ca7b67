import Foundation
import Heating
import Testing

@testable import hearth

@Suite("hearth devices: choices and files")
struct DeviceFileTests {
    private func device(
        _ role: String, _ name: String, room: String? = nil, standing: String = "new", lines: [String] = ["[[x]]"]
    ) -> OfferedDevice {
        OfferedDevice([
            "role": .string(role), "name": .string(name), "room": JSON(room) { .string($0) }, "kind": "plain",
            "topic": .string("t/\(name)"), "standing": .string(standing), "lines": .array(lines.map { .string($0) }),
        ])
    }

    @Test(
        "NAME=ROOM, at the last =",
        arguments: [
            ("a=office", "a", ["office"]), ("a=b=hall", "a=b", ["hall"]),
            ("plug=office,living room", "plug", ["office", "living room"]),
            ("lamp=", "lamp", []),
        ])
    func choice(text: String, name: String, rooms: [String]) throws {
        let choice = try #require(DeviceChoice(text))
        #expect(choice.name == name && choice.rooms == rooms)
    }

    @Test("what is no choice", arguments: ["", "=", "=office", "office", "a=b/c", "a=+", "a=#,b"])
    func noChoice(text: String) { #expect(DeviceChoice(text) == nil) }

    @Test("one file for each room and pump; neither what is known nor a switch that nobody chose")
    func files() {
        let found = [
            device("sensor", "one", room: "Büro"), device("sensor", "two", room: "x"),
            device("sensor", "three", room: "Büro"),
            device("sensor", "old", room: "old", standing: "known"),
            device("sensor", "odd", room: "odd", standing: "unclear"),
            device("pump", "plug"), device("pump", "lamp"),
        ]
        let (devices, unused) = chosen(
            found, rooms: ["t/two=attic", "one=Büro"].compactMap(DeviceChoice.init),
            pumps: ["plug=Büro,attic", "nobody=hall"].compactMap(DeviceChoice.init))
        #expect(unused.map(\.name) == ["nobody"])
        let files = WrittenDevices.files(for: devices)
        #expect(files.map(\.name) == ["b--ro", "attic", "pump-plug"])
        #expect(files.contains { $0.text.hasSuffix("\n[[x]]\nroom = \"Büro\"\n\n[[x]]\nroom = \"Büro\"\n") })
        #expect(files.last?.text.hasSuffix("\n[[x]]\nrooms = [\"Büro\", \"attic\"]\n") == true)
    }

    @Test("a file that is there stays as it is, and the new one gets a number")
    func keeps() throws {
        let directory = NSTemporaryDirectory() + "hearth-devices-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let file = WrittenDevices(name: "office", text: "one")
        let (first, second) = (
            try file.write(in: directory), try WrittenDevices(name: "office", text: "two").write(in: directory)
        )
        #expect(first.hasSuffix("/office.toml") && second.hasSuffix("/office-2.toml"))
        #expect(try String(contentsOfFile: first, encoding: .utf8) == "one")
        #expect(try String(contentsOfFile: second, encoding: .utf8) == "two")
        #expect(throws: Problem.self) { try file.write(in: "/proc/nowhere") }
    }
}
