"""Which tests of a run are worth a second one, alone. Called by scripts/test.

    again.py OUTPUT            of Swift's tests: prints a filter for each that failed, by function and file; fails when one of them
                               is none for a second try
    again.py --suite OUTPUT    of any other suite: fails when one of its failures is none for a second try

A test that waits, measures or reads what a program has just said fails on a machine whose processors are taken, and passes
alone. What says that something was lost, or came twice, is a finding whatever the machine did, and so is a run that broke off."""

import itertools
import pathlib
import re
import sys

ISSUE = re.compile(r'✘ Test (?:"(?P<title>.*?)"|(?P<name>\w+)\(.*?\)|«unknown») (?:with .*? )?recorded an issue .*?'
                   r'at (?P<file>\w+\.swift):(?P<line>\d+):\d+: ')
FINDING = re.compile(r"\b(lost|missing|twice|duplicat\w*|not kept|overwritten|leak\w*)\b", re.IGNORECASE)
FUNCTION = re.compile(r"func (`[^`]+`|\w+)\(")
TESTS = pathlib.Path(__file__).parent


def titled(title):
    """The functions of the tests of this title and their files, wherever the issue was recorded."""
    written = '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"'
    found = set()
    for path in TESTS.rglob("*.swift"):
        text = path.read_text()
        at = text.find(written)
        if at >= 0 and "@Test" in text[max(0, at - 40):at]:
            found.add((FUNCTION.search(text, at)[1], path.name))
        # A name in backticks is its test's title.
        if f"@Test func `{title}`(" in text:
            found.add((f"`{title}`", path.name))
    return found


def named(name, file):
    """A test by its function: the one of the file where the issue was recorded, or all of that name where a part that several
    tests share recorded it."""
    written = re.compile(rf"@Test\b[^@]*?\bfunc {re.escape(name)}\(")
    files = {path.name for path in TESTS.rglob("*.swift") if written.search(path.read_text())}
    return {(name, one) for one in (files & {file} or files)}


def around(file, line):
    """The test around a line, where nothing but the line is told: of names in backticks the runner says nothing."""
    for path in TESTS.rglob(file):
        lines = path.read_text().split("\n")[:line]
        return {(FUNCTION.search(text)[1], file) for text in [text for text in lines if "@Test func `" in text][-1:]}
    return set()


def suite(path):
    """Of systemd's points and of House/checks.py's."""
    lines = pathlib.Path(path).read_text(errors="replace").splitlines()
    return any(line.startswith("FAIL") and FINDING.search(line) for line in lines)


def main():
    if sys.argv[1] == "--suite":
        return suite(sys.argv[2])
    output = pathlib.Path(sys.argv[1]).read_text(errors="replace")
    if "Test run with" not in output:
        return 1  # It broke off.
    if output.count(" recorded an issue ") != len(ISSUE.findall(output)):
        return 1  # Something failed that is no single test.
    names = set()
    for match in ISSUE.finditer(output):
        # What the test says of it follows on lines of their own; other tests' lines come behind.
        first, *rest = output[match.start():match.end() + 2000].partition("recorded an issue")[2].split("\n")
        if FINDING.search("\n".join([first, *itertools.takewhile(lambda line: line.startswith("↳"), rest)])):
            return 1
        found = (titled(match["title"]) if match["title"] else named(match["name"], match["file"]) if match["name"] else
                 around(match["file"], int(match["line"])))
        if len({function for function, _ in found}) != 1:
            return 1
        names |= found
    if not names:
        return 1
    # A test's identity ends with its place: "SystemTests.SystemTests/KillTests/kills()/KillTests.swift:12:10".
    for function, file in sorted(names):
        print(re.escape(function.strip("`")) + r"`?\(.*/" + re.escape(file) + ":")
    return 0


if __name__ == "__main__":
    sys.exit(main())
