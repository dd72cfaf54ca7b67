"""The promise, checked from outside: what was acknowledged on the wire at home (A), what passed there at all (D), and what
InfluxDB has (I). A is in I, I is in D, every value bit-equal; the clean bucket and the home's means follow from raw."""

import time

import makes
from House.checks import Failure
from House.readings import commands, difference, means, readings


class Oracle:
    def __init__(self, rig):
        self.rig = rig

    def settle(self, seconds=120):
        """Until everything that was acknowledged is there and no more is being acknowledged, or the time is over.

        - Returns: what is wrong in the end, and the seconds it took."""
        began = time.monotonic()
        count, since = -1, began
        while True:
            now, acknowledged = time.monotonic(), self.acknowledged()
            if acknowledged != count:
                count, since = acknowledged, now
            is_over = now - began > seconds
            # To compare everything costs the programs under test their processor: not before they are quiet, and not all the time.
            if is_over or now - since > 0.8:
                problems = self.problems()
                if is_over or (not problems and self.acknowledged() == count):
                    return problems, since - began
                time.sleep(time.monotonic() - now)
            time.sleep(0.1)

    def acknowledged(self):
        return sum(home.acknowledged() for home in self.rig.homes)

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

    def after_a_restart(self):
        """What the database has, and not what it says of that. Seen once, at load 25: for two minutes influxd 1.6 did not find five
        of the first points of new series, which it had acknowledged and written down; started again with the same files, it did.
        Why is not known."""
        self.rig.influx.process.stop(30)
        self.rig.influx.start()
        return self.problems()

    def verify(self, seconds=120):
        """- Returns: what was counted. Throws Failure with all that is wrong."""
        problems, took = self.settle(seconds)
        hidden = any(" missing " in problem for problem in problems)
        if hidden:
            problems = self.after_a_restart()
        if problems:
            raise Failure("\n".join(problems))
        kept = [home.wire.snapshot("acknowledged") for home in self.rig.homes]
        counts = {"readings": sum(len(readings(k)) for k in kept), "commands": sum(len(commands(k)) for k in kept)}
        if hidden:
            counts["shown after a restart of InfluxDB"] = 1
        others = sum(len(makes.readings(k)) for k in kept)
        if others:
            counts["of other makes"] = others
        if not counts["readings"] + others:
            raise Failure("nothing was acknowledged: the run proved nothing")
        return {**counts, "settled": round(took, 1)}
