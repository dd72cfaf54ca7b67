"""cloud/FOUND.md names commits, suites, scenarios and titles of tests: each has to be there."""

import pathlib
import re
import subprocess

FOUND = "cloud/FOUND.md"


def code():
    """All that tests are written in, for looking names up."""
    return "\n".join(path.read_text() for kind in ("swift", "py") for path in sorted(pathlib.Path("Tests").rglob(f"*.{kind}")))


def missing(text, code):
    """What the table names and nobody has."""
    rows = [line.split("|") for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    shown = "\n".join(row[-2] for row in rows)
    names = re.findall(r"`([^`]+)`", shown)
    wrong = [f"no suite {name}" for name in names if re.fullmatch(r"\w+Tests", name) and not re.search(rf"\b{name}\b", code)]
    for suite, tests in re.findall(r"`(\w+Tests)`((?:[ ,]+`[a-zA-Z…]+`)+)", shown):
        for test in re.findall(r"`([a-zA-Z]+)…?`", tests):
            if not test.endswith("Tests") and not re.search(rf"func {test}\w*\(", code):
                wrong.append(f"{suite} has no {test}")
    for name in names:
        if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name) and f'"{name}"' not in code:
            wrong.append(f"no scenario {name}")
        if re.fullmatch(r"(Tests/\w+/)?\w+\.(py|yml)", name) and not list(pathlib.Path(".").glob(f"**/{name.rsplit('/', 1)[-1]}")):
            wrong.append(f"no file {name}")
    for title in re.findall(r'`test_\w+\.py`: "([^"]+)"', shown):
        if title not in code:
            wrong.append(f'no check says "{title}"')
    return wrong


def commits(text):
    """Those that are named and not in the history; None where there is no history."""
    is_shallow = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], capture_output=True, text=True)
    if is_shallow.returncode != 0 or is_shallow.stdout.strip() != "false":
        return None
    return [name for name in sorted(set(re.findall(r"`([0-9a-f]{7})`", text)))
            if subprocess.run(["git", "merge-base", "--is-ancestor", name, "HEAD"], capture_output=True).returncode != 0]
