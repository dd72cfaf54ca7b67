"""What a contributor may forget and no compiler sees: places that belong together. Called by layout.py."""

import re
from pathlib import Path

KIND = re.compile(r"\n        DeviceKind\(\n +name: \"([^\"]+)\"")
NAME = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"')


def findings_that_outlive_a_reload(made: Path, resolved: Path) -> list[str]:
    """A finding about a device of the tables is over when a reload brings other tables: it is in the list that is resolved then."""
    known = set(NAME.findall(resolved.read_text().partition("static let deviceFindings = [")[2].partition("]")[0]))
    return [f"{resolved} does not name {name} in deviceFindings: it would outlive its device over a reload"
            for name in sorted(set(NAME.findall(made.read_text())) - known)]


def kinds_without(kinds: Path, places: dict[str, list[Path]]) -> list[str]:
    """Each built-in kind has real payloads, what its pump hears and says, and a line of the manual."""
    parts = re.split(r"(?=\n        DeviceKind\()", kinds.read_text())[1:]
    complaints = []
    for part in parts:
        name = KIND.match(part)[1]
        for place, files in places.items():
            if "pump" in place and "pump: .init(" not in part:
                continue
            text = "".join(file.read_text().replace("\\-", "-") for file in files)
            if not re.search(rf"\b{re.escape(name)}\b", text):
                complaints.append(f"the kind {name} has no {place}: {' or '.join(str(file) for file in files)}")
    return complaints


def complaints() -> list[str]:
    lane, tests = Path("Sources/hearthd/Control/Lane"), Path("Tests/HeatingTests")
    return findings_that_outlive_a_reload(Path("Sources/hearthd/Answers/DeviceFindings.swift"), lane / "ControlLane+Sensors.swift") + kinds_without(
        Path("Sources/Heating/Devices/Kinds/DeviceKinds.swift"), {
            "payload of a sensor": sorted(tests.glob("*Payload*.swift")), "case of a pump": [tests / "DevicePumpTests.swift"],
            "line in the manual": [Path("systemd/man/hearthd.toml.5")]})


def samples(folder: Path) -> dict[str, tuple[list[str], int]]:
    """Each check on a sample that is wrong in a known number of ways."""
    made, resolved, kinds, tests = (folder / name for name in ("made", "resolved", "kinds", "tests"))
    made.write_text('Finding(name: "cold-cat")\nFinding(name: "wet-dog")\n')
    resolved.write_text('static let deviceFindings = [\n    "wet-dog",\n]\n')
    kinds.write_text('= [\n        DeviceKind(\n            name: "acme", sensor: .init()),\n        DeviceKind(\n            name: "mute", pump: .init()),\n')
    tests.write_text('("acme", "21")\n')
    return {"findings over a reload": (findings_that_outlive_a_reload(made, resolved), 1),
            "kinds": (kinds_without(kinds, {"payload": [tests], "case of a pump": [tests]}), 2)}
