"""Plants known bugs, one at a time, in a copy of the tree and shows that the suite catches each. Called by
scripts/faults --planted.

A bug is a patch in planted/ whose first lines say what it does and which scenarios shall catch it:

    What a developer might do, and what is lost by it.
    Caught-by: scenario [scenario…]
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import FAILED, OK

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TREE = os.path.join(ROOT, ".build-planted", "tree")


class Bug:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path).removesuffix(".patch")
        with open(path) as f:
            head = f.read().split("\ndiff ", 1)[0].split("Caught-by:")
        self.what, self.scenarios = " ".join(head[0].split()), head[1].split()

    def apply(self, *reverse):
        # Inside of a repository git would leave files alone that are not below the directory it runs in.
        subprocess.run(["git", "apply", *reverse, self.path], cwd=TREE, check=True,
                       env={**os.environ, "GIT_CEILING_DIRECTORIES": os.path.dirname(TREE)})


def files():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [n for n in out.stdout.splitlines() if os.path.exists(os.path.join(ROOT, n))]


def copy_tree():
    """The tree as it is, beside what an earlier run has built of it; files that have not changed keep their times."""
    wanted = files()
    for name in wanted:
        source, target = os.path.join(ROOT, name), os.path.join(TREE, name)
        if os.path.exists(target) and open(source, "rb").read() == open(target, "rb").read():
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)
    for directory in ("Sources", "Tests"):
        for path, _, names in os.walk(os.path.join(TREE, directory)):
            for name in names:
                full = os.path.join(path, name)
                if os.path.relpath(full, TREE) not in wanted and "__pycache__" not in full:
                    os.remove(full)


def build():
    """- Returns: where the programs are; None when it does not compile."""
    result = subprocess.run(["swift", "build"], cwd=TREE, capture_output=True, text=True)
    if result.returncode != 0:
        print(result.stdout[-3000:] + result.stderr[-1000:])
        return None
    return subprocess.run(["swift", "build", "--show-bin-path"], cwd=TREE, check=True, capture_output=True, text=True).stdout.strip()


def suite(options, programs, scenarios, *more):
    """Whether the suite passes, and what it printed."""
    arguments = [sys.executable, os.path.join(HERE, "suite.py"), "--programs", programs, "--tools", options.tools,
                 "--mock-kafka", programs + "/mock-kafka", "--quick", "--discard", "--jobs", "4", "--seed", str(options.seed), *more]
    for name in scenarios:
        arguments += ["--only", name]
    result = subprocess.run(arguments, capture_output=True, text=True)
    return result.returncode == 0, result.stdout


def first_failure(output):
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(FAILED):
            return line.split()[1], lines[number + 1].strip()[:110] if number + 1 < len(lines) else ""
    return "", ""


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults --planted")
    parser.add_argument("--tools", required=True)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    bugs = [Bug(os.path.join(HERE, "planted", n)) for n in sorted(os.listdir(os.path.join(HERE, "planted"))) if n.endswith(".patch")]
    bugs = [b for b in bugs if not options.names or b.name in options.names]
    copy_tree()
    print(f"{len(bugs)} bugs, seed {options.seed}; first the tree as it is", flush=True)
    programs = build()
    if not programs:
        return 1
    passes, output = suite(options, programs, sorted({s for b in bugs for s in b.scenarios}))
    if not passes:
        print(output + "\nthe tree as it is does not pass, so a failure would prove nothing")
        return 1
    results = []
    for bug in bugs:
        began = time.monotonic()
        bug.apply()
        try:
            built = build()
            caught, where, how = False, "", "does not compile"
            if built:
                passes, output = suite(options, built, bug.scenarios, "--stop-at-failure")
                caught, (where, how) = not passes, first_failure(output)
        finally:
            bug.apply("--reverse")
        results.append((bug, caught, where, how))
        print(f"{OK if caught else FAILED}{bug.name:34} {time.monotonic() - began:5.0f} s  {where or 'nobody'}: {how}", flush=True)
    print("\n| planted bug | caught by | how |\n|---|---|---|")
    for bug, caught, where, how in results:
        print(f"| {bug.what} | {where if caught else '**nobody**'} | {how} |")
    missed = sum(1 for r in results if not r[1])
    print(f"\nplanted: {len(results) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
