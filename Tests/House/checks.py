"""What a test may come to, and the one way to say it, which scripts/test reads: a line that begins with `ok`, `FAILED` or
`not run: `, and a closing line of counts."""

import sys
import time
import traceback

OK, FAILED = "ok      ", "FAILED  "
passed, failed = 0, 0


class Failure(Exception):
    """What a test is there to find."""


class Late(Failure):
    """Something did not come in its time. Never a loss: what is missing in the end is a plain failure."""


class CannotRun(Exception):
    """This machine cannot do it, and why."""


def ok(title):
    global passed
    passed += 1
    print(f"{OK}{title}", flush=True)


def fail(title, detail=""):
    global failed
    failed += 1
    print(f"{FAILED}{title}{f': {detail}' if detail else ''}", flush=True)


def check(title, holds, detail=""):
    """- detail: what is said where it does not hold."""
    if holds:
        ok(title)
    else:
        fail(title, detail)


def attempt(title, body, *values):
    """A check that is a function: it fails by an exception, and what it returns is told beside its title and its time."""
    began = time.monotonic()
    try:
        detail = body(*values)
        ok(f"{title}{f': {detail}' if detail else ''} ({time.monotonic() - began:.1f} s)")
    except Exception as error:  # one run tells everything that is wrong
        fail(title, error)
        if not isinstance(error, (AssertionError, Failure)):
            traceback.print_exc(file=sys.stdout)


def not_run(what, why):
    """Something that this machine cannot do; scripts/test lists it at the end."""
    print(f"not run: {what}: {why}", flush=True)


def end(name):
    """Says how many there were and ends the program: with 1 where one failed, or where nothing was checked."""
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
