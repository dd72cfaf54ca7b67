"""The promise, checked from outside: what was acknowledged on the wire at home (A), what passed there at all (D), and what
InfluxDB has (I). A is in I, I is in D, every value bit-equal; the clean bucket and the home's means follow from raw."""

import datetime
import json
import re
import time

import makes
from House.rig import Failure

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


class Oracle:
    def __init__(self, rig):
        self.rig = rig

    def settle(self, seconds=120):
        """Until everything that was acknowledged is there and no more is being acknowledged, or the time is over.

        - Returns: what is wrong in the end, and the seconds it took."""
        began = time.monotonic()
        count, since = -1, began
        while True:
            problems = self.problems()
            now, acknowledged = time.monotonic(), sum(home.acknowledged() for home in self.rig.homes)
            if acknowledged != count:
                count, since = acknowledged, now
            if now - began > seconds or (not problems and now - since > 0.8):
                return problems, since - began
            time.sleep(0.2)

    def problems(self):
        influx = self.rig.influx
        try:
            raw = influx.points("raw_temperature", ["value"], "raw")
            states = influx.points("heatpump_state", ["on"], "raw")
            clean = influx.points("temperature_clean", ["value"], "clean")
            averages = influx.points("home_avg_temperature", ["avg_temp"], "aggregate")
        except OSError as error:
            return [f"InfluxDB does not answer: {error}"]
        problems = []
        for home in self.rig.homes:
            name = home.name
            kept, passed = home.wire.snapshot("acknowledged"), home.wire.snapshot("delivered")
            a, d, i = readings(kept), readings(passed), raw.get(name, {})
            problems += difference({k: v for k, v in i.items() if k[0] not in makes.SENSORS}, a, d, f"raw of {name}")
            problems += makes.problems(name, i, kept, passed)
            problems += difference(states.get(name, {}), commands(kept), commands(passed), f"commands of {name}")
            wanted = {k: v for k, v in i.items() if v != 100}
            problems += difference(clean.get(name, {}), wanted, wanted, f"clean of {name}")
            wanted = means(clean.get(name, {}))
            problems += difference(averages.get(name, {}), wanted, wanted, f"means of {name}")
        for name in set(raw) - {home.name for home in self.rig.homes} - self.rig.aside:
            problems.append(f"points of {name}, which is no home of this run")
        return problems

    def verify(self, seconds=120):
        """- Returns: what was counted. Throws Failure with all that is wrong."""
        problems, took = self.settle(seconds)
        if problems:
            raise Failure("\n".join(problems))
        kept = [home.wire.snapshot("acknowledged") for home in self.rig.homes]
        counts = {"readings": sum(len(readings(k)) for k in kept), "commands": sum(len(commands(k)) for k in kept)}
        others = sum(len(makes.readings(k)) for k in kept)
        if others:
            counts["of other makes"] = others
        if not counts["readings"] + others:
            raise Failure("nothing was acknowledged: the run proved nothing")
        return {**counts, "settled": round(took, 1)}
