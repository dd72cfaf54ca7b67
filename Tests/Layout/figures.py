"""The figures of the evidence page: takes them from what scripts/bench wrote, writes the tables that quote them, and says which
document quotes another one. Called by scripts/figures and scripts/check-layout.

    figures.py [FILE…]            takes the rows of `scripts/bench … --json FILE` and writes the tables
    figures.py --tests LOG        takes what a whole run of scripts/test said of each promise's command
    figures.py --said KEY TEXT    takes what a longer run of one of those commands said
    figures.py --check            fails where a table differs from the rows, a promise has no figure, or a document quotes what is
                                  not on the page
"""

import json
import math
import re
import sys
from pathlib import Path

import promises

ROWS = Path("Tests/Bench/figures.json")
PAGE = Path("Tests/README.md")
INTERVALS = Path("systemd/README.md")
QUOTING = [Path("README.md"), Path("cloud/README.md")]
# What a machine needs is no promise.
NEEDED = {"about 5 GB of memory"}

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
UNIT = r"(?:µs|ms|KiB|MiB|GiB|kB|MB|GB|(?:readings|points|messages|msg|commands|wake-ups|commits)/s|times|% of a core|bytes (?:per|a))\b"
FIGURE = re.compile(rf"(?<![\d.,])({NUMBER})\*{{0,2}}\s+{UNIT}")
SUM = re.compile(rf"(?<![\d.,])({NUMBER}) ([×/]) ({NUMBER}) = \*{{0,2}}({NUMBER})")


def plain(number: str) -> float:
    return float(number.replace(",", ""))


def spoken(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(rows: list[dict]) -> str:
    """Every row with its target, where it is from and what it was made of."""
    lines = ["| figure | last | target | made of | command, load, day |", "|---|---|---|---|---|"]
    for row in rows:
        value, aim = spoken(row["value"]), ""
        if row["target"] is not None:
            aim = f"{'≥' if row['better'] == 'higher' else '≤'} {row['target']}" + ("" if row["met"] else ", missed")
            value = value if row["met"] else f"**{value}**"
        lines.append(f"| {row['name']} | {value} | {aim} | {row['raw']} | `{row['command']}`, {row['load']}, {row['day']} |")
    machines = sorted({row["machine"] for row in rows})
    return "\n".join([*lines, "", f"Measured on {'; '.join(machines)}."])


def intervals(rows: list[dict]) -> str:
    """`commit_interval` against what it costs: from the rows that have those values."""
    lines = ["| `commit_interval` | written a day | commits/s | wake-ups/s | sensor to point: half of them within, 99 % within | "
             "a power cut leaves to the home broker's memory |", "|---|---|---|---|---|---|"]
    for row in rows:
        if found := re.match(r"commit_interval (\w+):", row["name"]):
            v = row["values"]
            times = [f"{t:.0f} ms" if t < 500 else f"{t / 1e3:.1f} s" for t in (v["p50"], v["p99"])]
            count = math.ceil(v["readings"])
            lines.append(f"| `{found[1]}` | {v['bytes_a_day'] / 1e9:.1f} GB | {v['commits']:.2g} | {v['wakeups']:.0f} | "
                         f"{', '.join(times)} | {count} reading{'s' if count > 1 else ''} |")
    return "\n".join(lines)


def placed(text: str, name: str, block: str) -> str:
    """The text with a block between its two marks."""
    begin, end = f"<!-- {name}: scripts/figures writes it -->\n", f"\n<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the marks of {name} are missing")
    return before + begin + block + end + after


def tables(rows: list[dict]) -> dict[Path, str]:
    """The documents as they should be."""
    page = PAGE.read_text()
    told = placed(page, "promises", promises.table(page, promises.load()))
    return {PAGE: placed(told, "figures", table(rows)), INTERVALS: placed(INTERVALS.read_text(), "intervals", intervals(rows))}


def wrong_sums(text: str) -> list[str]:
    """Arithmetic that is written out and does not come to what it says, in as many digits as it says."""
    wrong = []
    for found in SUM.finditer(text):
        left, right, said = plain(found[1]), plain(found[3]), found[4]
        value = left * right if found[2] == "×" else left / right
        digits = len(said.partition(".")[2])
        if abs(value - plain(said)) > 0.5 * 10 ** -digits + 1e-9:
            wrong.append(f"{found[0]}: it is {value:.{digits}f}")
    return wrong


def quoted_without_evidence(text: str, page: str) -> list[str]:
    """Figures with a unit that the page has not got and that no arithmetic of the text comes to."""
    known = {plain(number) for number in re.findall(NUMBER, page)} | {plain(found[4]) for found in SUM.finditer(text)}
    for needed in NEEDED:
        text = text.replace(needed, "")
    return [" ".join(found[0].split()) for found in FIGURE.finditer(text) if plain(found[1]) not in known]


def show_that_checks_fail() -> list[str]:
    page = "| durable ingest | 28,462 | msg/s: [38121, 5] |"
    text = "It carried **28,462\nreadings/s** and 38,121 msg/s. 28,462 / 5 = 5,692 readings/s, not 40,000 readings/s or 1.5 MB; 2 × 3 = 7."
    found = {"quoted figures": (quoted_without_evidence(text, page), ["40,000 readings/s", "1.5 MB"]), "sums": (wrong_sums(text), ["2 × 3 = 7: it is 6"])}
    return [f"the check of {name} found {complaints} in its sample" for name, (complaints, expected) in found.items() if complaints != expected]


def check(rows: list[dict]) -> list[str]:
    complaints = show_that_checks_fail() + promises.show_that_checks_fail()
    complaints += promises.complaints(PAGE.read_text(), promises.load())
    for path, text in tables(rows).items():
        if text != path.read_text():
            complaints.append(f"{path} differs from {ROWS}: scripts/figures writes it")
    page = PAGE.read_text()
    for path in QUOTING:
        text = path.read_text()
        complaints += [f"{path} quotes {quoted}, which is not in {PAGE}" for quoted in quoted_without_evidence(text, page)]
        complaints += [f"{path} calculates {wrong}" for wrong in wrong_sums(text)]
    return complaints


def main() -> None:
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else []
    if sys.argv[1:] == ["--check"]:
        complaints = check(rows)
        for complaint in complaints:
            print(f"FAILED: {complaint}", file=sys.stderr)
        if complaints:
            sys.exit("\nerror: figures without evidence (Tests/README.md)")
        print("Every figure that is quoted is in Tests/README.md, whose table is what was measured.")
        return
    if sys.argv[1:2] == ["--tests"]:
        keep(promises.heard(Path(sys.argv[2]).read_text(errors="replace")))
    elif sys.argv[1:2] == ["--said"]:
        keep({sys.argv[2]: sys.argv[3]})
    else:
        rows = taken(rows, sys.argv[1:])
    # Lists of each single message's time are for who runs it.
    for row in rows:
        row["values"] = {key: value for key, value in row.get("values", {}).items() if not isinstance(value, list) or len(value) <= 20}
    ROWS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    for path, text in tables(rows).items():
        path.write_text(text)


def keep(told: dict[str, str]) -> None:
    """Keeps what the page's promises want of it."""
    wanted = {promises.key(command) for _, command in promises.rows(PAGE.read_text())}
    if not wanted & set(told):
        sys.exit(f"error: none of the page's promises is about {', '.join(list(told)[:5]) or 'what this log says'}")
    promises.save(promises.keep(told, promises.load(), wanted))


def taken(rows: list[dict], files: list[str]) -> list[dict]:
    """The rows with those of the files, each in the place of the one of its name."""
    for name in files:
        for row in json.loads(Path(name).read_text()):
            same = next((number for number, known in enumerate(rows) if known["name"] == row["name"]), None)
            if same is None:
                rows.append(row)
            else:
                rows[same] = row
    return rows


main()
