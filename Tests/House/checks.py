"""What the test programs of this folder count and print."""

import sys

passed, failed = 0, 0


def check(title, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
        print(f"ok      {title}")
    else:
        failed += 1
        print(f"FAILED  {title}{f': {detail}' if detail else ''}")


def end(name):
    print(f"{name}: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
