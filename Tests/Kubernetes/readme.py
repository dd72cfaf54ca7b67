"""The commands of a README: every line of its blocks, and of its code in running text all that is more than a word or is the name of
a program. No execution here."""

import os
import re
from dataclasses import dataclass

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# Not in a shell, but a person types them.
STATEMENTS = ("SHOW", "SELECT", "DROP", "CREATE", "DELETE")


@dataclass(frozen=True)
class Command:
    text: str
    line: int
    language: str = "sh"

    def __str__(self):
        return f"line {self.line}: {self.text}"


def commands(text):
    """In their order."""
    found = []

    def number(at):
        return text.count("\n", 0, at) + 1

    def take(block):
        if block[2] not in ("", "sh"):
            found.append(Command(block[3], number(block.start()), block[2]))
        elif block[2] == "sh":
            found.extend(lines(block[3], number(block.start()) + 1))
        return re.sub(r"[^\n]", " ", block[0])

    rest = BLOCK.sub(take, text)
    for span in re.finditer(r"`([^`]+)`", rest):
        words = " ".join(span[1].split())
        if is_command(words):
            found.append(Command(words, number(span.start())))
    return sorted(found, key=lambda command: command.line)


def lines(block, first):
    """Without comments; lines that go on are one."""
    found, begun, start = [], "", first
    for offset, line in enumerate(block.splitlines()):
        start = start if begun else first + offset
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        begun = f"{begun} {line}".strip()
        if begun.endswith("\\"):
            begun = begun[:-1].strip()
        elif begun:
            found.append(Command(begun, start))
            begun = ""
    return found


def is_command(words):
    """Several words, or one that can be run."""
    first = words.split(" ")[0]
    return " " in words or first in STATEMENTS or ("/" in first and os.path.isfile(first) and os.access(first, os.X_OK))
