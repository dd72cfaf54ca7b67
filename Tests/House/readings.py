"""What was read, commanded and averaged, as {(room, ns): value}, written down without any of the product's code, and how two such
differ."""

import datetime
import json
import re

WINDOW = 60_000_000_000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FRACTION = re.compile(r"\.(\d+)")


def nanoseconds(text):
    """A timestamp: ISO 8601 with up to nine digits of fraction, UTC unless it has an offset."""
    fraction = FRACTION.search(text)
    moment = datetime.datetime.fromisoformat(FRACTION.sub("", text).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    seconds = (moment - EPOCH) // datetime.timedelta(seconds=1)
    return seconds * 1_000_000_000 + (int(fraction[1][:9].ljust(9, "0")) if fraction else 0)


def readings(messages):
    """{(room, ns): value} of temperature messages."""
    found = {}
    for message in messages:
        room, _, what = message.topic.partition("/")
        if what == "temperature":
            body = json.loads(message.payload)
            found[room, nanoseconds(body["timestamp"])] = float(body["value"])
    return found


def commands(messages):
    """{(room, ns): on} of heat pump commands with their time."""
    found = {}
    for message in messages:
        room, _, what = message.topic.partition("/")
        if what == "heatpump" and "timestamp" in message.user:
            found[room, nanoseconds(message.user["timestamp"])] = json.loads(message.payload)["status"] == "1"
    return found


def means(clean):
    """The mean of the rooms' means per minute of event time, written down without any of the product's code."""
    windows = {}
    for (room, at), value in clean.items():
        windows.setdefault(at // WINDOW * WINDOW, {}).setdefault(room, []).append((at, value))
    result = {}
    for start, rooms in windows.items():
        total = 0.0
        for room in sorted(rooms):
            values = [v for _, v in sorted(rooms[room])]
            total += sum_in_order(values) / len(values)
        result["", start] = total / len(rooms)
    return result


def sum_in_order(values):
    total = 0.0  # Python 3.12's sum() compensates; the product adds plainly.
    for value in values:
        total += value
    return total


def difference(found, least, most, what):
    """What is wrong with `found`, of which `least` must be there and nothing but `most` may be."""
    missing = [k for k in least if k not in found]
    surplus = [k for k in found if k not in most]
    different = [k for k in found if k in most and found[k] != most[k]]
    if not (missing or surplus or different):
        return []
    samples = [*missing[:2], *surplus[:2], *((k, found[k], most[k]) for k in different[:2])]
    return [f"{what}: of {len(least)} missing {len(missing)}, not wanted {len(surplus)}, different {len(different)}: {samples}"]
