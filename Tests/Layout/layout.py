"""What scripts/check-layout asks: whether the tree still is what Sources/README.md says.

The allowed arrows stand in one place, Package.swift: `swift package dump-package` comes in on standard input. Each check is a
function from a folder to complaints, and is shown to complain about a sample before it is asked about the tree.
"""

import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import forgotten

TOP_LEVEL = set(
    "CHANGELOG.md CONTRIBUTING.md LICENSE Package.resolved Package.swift README.md Sources Tests cloud compose scripts systemd".split()
)
# The system's modules; a program may use FoundationEssentials, hearth-cloud all of Foundation.
EVERYWHERE = {"Swift", "Glibc", "Dispatch", "Synchronization"}
# Modules that come with a product of another name.
OF_PRODUCT = {"ServiceLifecycle": {"UnixSignals"}, "NIOPosix": {"NIOCore"}}
NAMED_FROM_OUTSIDE = "Journal EventLog Heating hearthd hearth-cloud hearth hearth-web HomePage GatewayClient".split()
FILES_WITHOUT_ROOMS = 15
LONGEST_FILE = 320
# Sentences in one language: looked up, not read.
WORD_LIST = re.compile(r"said\.\w+\.js")
# What people write and read as text; a script of Bash has no ending.
WRITTEN = {".swift", ".py", ".c", ".h", ".sh", ".js", ".css", ".html", ""}

IMPORT = re.compile(
    r"^ *(?:@\w+(?:\(\w+\))? +)*(?:(?:public|internal|package|private|fileprivate) +)?import +"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias) +)?(\w+)",
    re.MULTILINE,
)
TYPE = re.compile(
    r"^(?:@\w+(?:\(\w+\))? +)*(?:(?:public|package|internal|final|indirect) +)*"
    r"(?:struct|class|enum|actor|protocol|typealias) +(\w+)",
    re.MULTILINE,
)
OUTSIDE = re.compile(
    r"\b(?:DESIGN|HOUSE|HOUSEHOLD|DEVICES)(?:\.md)?\b(?!=)|\b(?:research|shared|docs)/\w+\.md|\b(?:reliability|craft|ecosystem)\.md"
)
# An alarm's name in the code that makes alarms; a thread's has the same form.
ALARM = re.compile(r'(?<!startThread\()"([a-z0-9]+(?:-[a-z0-9]+)+)"')
STRING_TABLE = re.compile(r"\[\[?String\]? *:|Set<\[?String\]?>|Dictionary<String")


def swift_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.swift"))


def undeclared_imports(folder: Path, allowed: set[str]) -> list[str]:
    """Modules that the target in `folder` imports and Package.swift does not give it."""
    found = {module for file in swift_files(folder) for module in IMPORT.findall(file.read_text())}
    return [f"{folder.name} imports {module}, which Package.swift does not give it" for module in sorted(found - allowed)]


def flat_folders(folder: Path) -> list[str]:
    """Folders with so many files that nobody finds one: they need rooms, one subject each."""
    complaints = []
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        count = len(list(place.glob("*.swift")))
        if count > FILES_WITHOUT_ROOMS:
            complaints.append(f"{place} has {count} files and no rooms: give each subject a folder")
    return complaints


def written_files(place: Path) -> list[Path]:
    """Files that people write, of every language; without what Python leaves behind."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return [file for file in files if file.suffix in WRITTEN and "__pycache__" not in file.parts]


def long_files(folder: Path) -> list[str]:
    """Files that nobody reads in one go: they are split by subject."""
    return [
        f"{file} has {count} lines, {LONGEST_FILE} are enough: split it by subject"
        for file in written_files(folder)
        if (count := file.read_bytes().count(b"\n")) > LONGEST_FILE and not WORD_LIST.fullmatch(file.name)
    ]


def strangers_at_the_top(root: Path) -> list[str]:
    return [f"unexpected at the top: {entry.name}" for entry in sorted(root.iterdir()) if entry.name[0] != "." and entry.name not in TOP_LEVEL]


def names_with_two_meanings(targets: list[Path]) -> list[str]:
    """Types that a whole target sees and that another target uses for something else."""
    homes = defaultdict(set)
    for target in targets:
        for file in swift_files(target):
            for name in TYPE.findall(file.read_text()):
                homes[name].add(target.name)
    return [
        f"{name} means something in each of {', '.join(sorted(places))}: rename all but one"
        for name, places in sorted(homes.items())
        if len(places) > 1
    ]


def pointers_outside(place: Path) -> list[str]:
    """Comments that cite a document which is not in this tree."""
    return [
        f"{file}:{number} points outside the tree: {line.strip()[:120]}"
        for file in written_files(place)
        if file.resolve() != Path(__file__).resolve()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if OUTSIDE.search(line)
    ]


def string_tables(folder: Path) -> list[str]:
    """Tables keyed by `String` where names come from outside.

    Swift's `String` takes different spellings of one character for equal, MQTT compares bytes: such a table made one room of
    two. `ExactString` (or `Room`, `HomeID`) is the key there. Where the names are the program's own, the line or the one before
    says so: `// Own names: ...`.
    """
    complaints = []
    for file in swift_files(folder):
        before = ""
        for number, line in enumerate(file.read_text().splitlines(), 1):
            declares = re.search(r"\b(?:var|let) ", line) and STRING_TABLE.search(line)
            if declares and "Own names" not in line and "Own names" not in before:
                complaints.append(f"{file}:{number} is keyed by String, which is not compared by bytes: {line.strip()[:120]}")
            before = line
    return complaints


def alarms_not_in_the_contract(folder: Path, contract: Path) -> list[str]:
    """Alarms that a dashboard cannot know of, and promised ones that nothing raises."""
    sources = [text for text in (file.read_text() for file in swift_files(folder)) if "Finding" in text]
    raised = {name for text in sources for name in ALARM.findall(text)}
    table = contract.read_text().partition("| severity | names |")[2].partition("\n\n")[0]
    promised = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`", table))
    unraised = {name for name in promised - raised if not any(f'"{name}"' in text for text in sources)}
    return [f"{contract} does not name the alarm {name}: put it into the row of its severity" for name in sorted(raised - promised)] + [
        f"{contract} names the alarm {name}, and nothing in {folder} raises it" for name in sorted(unraised)]


def allowed_modules(target: dict) -> set[str]:
    allowed = set(EVERYWHERE)
    for dependency in target["dependencies"]:
        name = next(iter(dependency.values()))[0]
        allowed |= {name} | OF_PRODUCT.get(name, set())
    if target["type"] == "executable":
        allowed.add("FoundationEssentials")
    if target["name"] == "hearth-cloud":
        allowed.add("Foundation")
    return allowed


def arrows_of_targets(folders: list[Path], declared: dict[str, dict]) -> list[str]:
    """Folders that Package.swift does not know, and what the others import beyond what it gives them."""
    complaints = []
    for folder in folders:
        if folder.name in declared:
            complaints += undeclared_imports(folder, allowed_modules(declared[folder.name]))
        else:
            complaints.append(f"{folder} is not a target of Package.swift")
    return complaints


def show_that_checks_fail() -> list[str]:
    """Each check on a sample that is wrong in a known number of ways."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "One"), Path(folder, "Two")
        for target in (one, two):
            target.mkdir()
            for number in range(16):
                (target / f"F{number}.swift").write_text("")
        (one / "F0.swift").write_text(
            "import Glibc\n@testable import Elsewhere\nimport struct Heating.Room\n/// See DESIGN.md.\npublic struct Window {}\nprivate struct Own {}\n"
            "var rooms: [String: Int] = [:]\n// Own names: reasons.\nvar counts: [String: Int] = [:]\nvar seen = Set<String>()\n"
        )
        (two / "F0.swift").write_text("final class Window {}\nprivate struct Own {}\n")
        (two / "F1.swift").write_text('startThread("a-thread") {}\nFinding(name: "cold-cat")\nFinding(name: "warm")\n')
        (one / "F1.swift").write_text("\n" * (LONGEST_FILE + 1))
        (one / "F2.swift").write_text("\n" * LONGEST_FILE)
        (one / "script").write_text("# as HOUSE.md says\n")
        contract = Path(folder, "contract.md")
        contract.write_text("| severity | names |\n|---|---|\n| cold | `warm`, `wet-dog` |\n\n`else-where`\n")
        found = {
            "imports": (undeclared_imports(one, EVERYWHERE | {"Heating"}), 1),
            "long files": (long_files(one), 1),
            "what stands at the top": (strangers_at_the_top(Path(folder)), 3),
            "arrows": (arrows_of_targets([one, two], {"One": {"name": "One", "type": "library", "dependencies": []}}), 3),
            "rooms": (flat_folders(one), 1),
            "double names": (names_with_two_meanings([one, two]), 1),
            "pointers outside": (pointers_outside(one), 2),
            "tables keyed by String": (string_tables(one), 2),
            "alarms": (alarms_not_in_the_contract(two, contract), 2),
            **forgotten.samples(Path(folder)),
        }
    return [
        f"the check for {name} found {len(complaints)} of {expected} in its sample"
        for name, (complaints, expected) in found.items()
        if len(complaints) != expected
    ]


def main() -> None:
    package = json.load(sys.stdin)
    complaints = show_that_checks_fail()
    declared = {target["name"]: target for target in package["targets"]}
    # A system library is a module map and a shim; CMosquittoGuard is C.
    targets = [folder for folder in sorted(Path("Sources").iterdir()) if swift_files(folder)]
    complaints += arrows_of_targets(targets, declared) + names_with_two_meanings(targets)
    for target in targets:
        complaints += flat_folders(target)
    for place in ("Sources", "Tests"):
        complaints += long_files(Path(place))
    for place in ("Package.swift", "Sources", "Tests", "scripts", "cloud", "compose", "systemd"):
        complaints += pointers_outside(Path(place))
    complaints += alarms_not_in_the_contract(Path("Sources/hearthd"), Path("Sources/CONTRACT.md"))
    complaints += strangers_at_the_top(Path()) + forgotten.complaints()
    for target in NAMED_FROM_OUTSIDE:
        complaints += string_tables(Path("Sources", target))
    for complaint in complaints:
        print(f"FAILED: {complaint}", file=sys.stderr)
    if complaints:
        sys.exit("\nerror: the layout differs from the design (Sources/README.md)")
    print(
        "Every target imports what Package.swift gives it, has rooms and no long file; no name means two things, and no comment "
        "points outside the tree. Each check was shown to fail."
    )


main()
