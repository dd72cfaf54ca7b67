"""Which tests of a run are worth a second one, alone. Called by scripts/test.

    again.py OUTPUT    prints a filter for each test that failed, by function; fails when one of them is none for a second try

A test that waits, measures or reads what a program has just said fails on a machine whose processors are taken, and passes
alone. What says that something was lost, or came twice, is a finding whatever the machine did, and so is a run that broke off."""

import pathlib
import re
import sys

ISSUE = re.compile(r"✘ Test .* recorded an issue .*?at (\w+\.swift):(\d+):\d+: (.*)")
FINDING = re.compile(r"\b(lost|missing|twice|duplicat\w*|not kept|overwritten|leak\w*)\b", re.IGNORECASE)
FUNCTION = re.compile(r"func (`[^`]+`|\w+)\(")


def function(path, line):
    """The name of the test around a line; an error that was thrown is told at the test's attribute."""
    lines = path.read_text().split("\n")
    if "@Test" in lines[line - 1]:
        below = (FUNCTION.search(text) for text in lines[line - 1:])
        return next((match[1] for match in below if match), None)
    for text in reversed(lines[:line]):
        # Not a function inside of a test, which is further in than the tests of a suite are.
        match = FUNCTION.match(text.strip().removeprefix("@Test "))
        if match and len(text) - len(text.lstrip()) <= 8:
            return match[1]
    return None


def main():
    output = pathlib.Path(sys.argv[1]).read_text(errors="replace")
    if "Test run with" not in output:
        return 1  # It broke off.
    names = set()
    for match in ISSUE.finditer(output):
        paths = list(pathlib.Path(__file__).parent.rglob(match[1]))
        # What the test says of it follows on a line of its own.
        said = output[match.start():match.end() + 400].split("✘")[1]
        if FINDING.search(said) or len(paths) != 1:
            return 1
        names.add(function(paths[0], int(match[2])))
    if not names or None in names:
        return 1
    for name in sorted(names):
        print(re.escape(name.strip("`")) + r"`?\(")
    return 0


if __name__ == "__main__":
    sys.exit(main())
