"""The last figure of each promise on the evidence page: what a whole run of scripts/test said of the command that checks it, or what
somebody says who ran a longer one. Called by figures.py.

A row's figure is found by its command: a suite or a module of `swift test --filter`, a scenario of `scripts/faults --only`, or a script by
its closing line. A command that no run has heard of is a promise nobody checks, and is a complaint."""

import json
import re
import time
from pathlib import Path

KEPT = Path("Tests/Bench/promises.json")
HEAD = ["| promise | the command that checks it | last figure |", "|---|---|---|"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SCENARIO = re.compile(r"^\| ([a-z0-9-]+) \| .* \| (held|not run|[a-zA-Z ]+) \| ([\d.]+) \| (.*?) *\|?$")
SUITE = re.compile(r'^✔ Suite (?:"(.*)"|(\w+)) passed after ([\d.]+) seconds')
MODULE = re.compile(r"^✔ Test run with (\d+) tests? in \d+ suites? passed after ([\d.]+) seconds")
CLOSING = re.compile(r"^([\w' -]+): (\d+ passed, 0 failed.*)$")
# Scripts whose figure is the closing line of a part of theirs, or a scenario's.
SCRIPTS = {"fleet.py": "fleet", "membership.py": "static membership", "test-containers": "containers", "simulate": "simulation",
           "crash-images": "crash-images", "test-kubernetes": "manifests"}


def key(command: str) -> str | None:
    """What a command's figure is kept under."""
    if found := re.search(r"scripts/faults --only ([a-z-]+)", command):
        return found[1]
    if found := re.search(r"--filter (\w+)", command):
        return found[1]
    for word, name in SCRIPTS.items():
        if word in command:
            return name
    found = re.search(r"scripts/(faults --planted|[a-z-]+)", command)
    return found[1] if found else None


def titles() -> dict[str, str]:
    """The types of suites by what the runner calls them."""
    found = {}
    for path in Path("Tests").rglob("*.swift"):
        for title, name in re.findall(r'@Suite\(\s*"(.*?)"[^{]*?\bstruct (\w+)', path.read_text()):
            found[title] = name
    return found


def heard(log: str) -> dict[str, str]:
    """What a run of scripts/test says, by key; the last word counts, which is that of a second try."""
    names, told, counts, module = titles(), {}, {}, None
    for line in COLOUR.sub("", log).splitlines():
        if line.startswith("==> "):
            module = line[4:] if line[4:].isidentifier() else None
        elif found := SUITE.match(line):
            # A lane's runner names the suites of other lanes too, and none of their tests.
            name, seconds = names.get(found[1], found[1]) or found[2], float(found[3])
            if seconds > 0.01 or name not in told:
                told[name] = f"passed in {seconds:.0f} s"
        elif (found := MODULE.match(line)) and module:
            told[module] = f"{found[1]} tests passed in {float(found[2]):.0f} s"
        elif found := SCENARIO.match(line):
            told[found[1]] = found[4].replace("|", " ").strip() or found[2]
        elif found := CLOSING.match(line):
            # A second try is of a few only.
            counts[found[1]] = max(count := int(found[2].split()[0]), counts.get(found[1], 0))
            if count == counts[found[1]]:
                told[found[1]] = found[2]
        elif found := re.match(r" +sound: (\d+ states, .*)$", line):
            told["check-model"] = found[1]
        elif line.startswith("No full Foundation"):
            told["check-linkage"] = "none of them"
    return told


def keep(told: dict[str, str], kept: dict[str, str], wanted: set[str]) -> dict[str, str]:
    """The figures with what is new, each with its day."""
    day = time.strftime("%Y-%m-%d")
    return kept | {name: f"{text}, {day}" for name, text in told.items() if name in wanted}


def rows(page: str) -> list[tuple[str, str]]:
    """The promises of the page and their commands."""
    block = page.partition("<!-- promises: ")[2].partition("<!-- end of promises -->")[0]
    lines = [line.strip("|").split(" | ") for line in block.splitlines() if line.startswith("| ")]
    return [(line[0].strip(), line[1].strip(" |")) for line in lines[1:]]


def table(page: str, kept: dict[str, str]) -> str:
    return "\n".join([*HEAD, *(f"| {promise} | {command} | {kept.get(key(command) or '', '')} |" for promise, command in rows(page))])


def complaints(page: str, kept: dict[str, str]) -> list[str]:
    """Promises whose command has never said anything."""
    return [f"nobody has kept a figure of {command}" for _, command in rows(page) if key(command) not in kept]


def load() -> dict[str, str]:
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def save(kept: dict[str, str]) -> None:
    KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")


def show_that_checks_fail() -> list[str]:
    log = ('==> MQTTTests\n✔ Suite CRC32CTests passed after 1.6 seconds.\n\x1b[92m✔\x1b[0m Test run with 33 tests in 4 suites passed after 15.2 seconds.\n'
           "| devices | a home | held | 15.3 | readings 0, commands 35 |\nfleet: 29 passed, 0 failed\n")
    told = heard(log)
    expected = {"CRC32CTests": "passed in 2 s", "MQTTTests": "33 tests passed in 15 s", "devices": "readings 0, commands 35", "fleet": "29 passed, 0 failed"}
    sample = "<!-- promises: x -->\n| promise | c |\n|---|---|\n| it holds | `scripts/faults --only devices` |\n<!-- end of promises -->"
    wrong = [f"promises: the log's sample was read as {told}"] if told != expected else []
    return wrong + ([] if complaints(sample, {}) and not complaints(sample, told) else ["the check of promises found nothing in its sample"])
