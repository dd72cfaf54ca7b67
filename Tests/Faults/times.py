"""The hour that comes twice: sensors that write local time without a zone, in October."""

import datetime
import json
import subprocess
import time
import zoneinfo

from House.checks import Failure
from House.processes import wait_for
from processes import write
from scenarios import chain, flowing, scenario

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")


@scenario("october", "the hour that comes twice in a named zone, with a kill of everything between its two passes")
def october(run):
    # The gateway's clock is not in October, so the order of the readings decides.
    with chain(run, home_options={"zone": "Europe/Berlin"}) as rig:
        home = rig.homes[0]
        instant = datetime.datetime(2026, 10, 24, 23, 30, tzinfo=datetime.timezone.utc)
        step, wanted = run.pick(120, 20), {}
        count = 3 * 3600 // step
        for number in range(count):
            at = instant + datetime.timedelta(seconds=number * step)
            local, value = at.astimezone(ZONE).replace(tzinfo=None, fold=0), 15 + number / 256
            wanted["room", int(at.timestamp()) * 1_000_000_000] = value
            subprocess.run(["mosquitto_pub", "-p", str(home.broker.port), "-q", "1", "-t", "room/temperature", "-m",
                            json.dumps({"timestamp": local.isoformat(), "value": value})], check=True, timeout=30)
            if number == count // 2:
                wait_for(lambda: home.acknowledged() >= count // 2, 30, "the first pass is recorded")
                home.restart()
                rig.kill("serve")
                rig.start("serve")
                home.recording()

        def arrived():
            return rig.influx.points("raw_temperature", ["value"], "raw").get(home.name, {})
        try:
            wait_for(lambda: arrived() == wanted, 60, "every reading is a point of its own")
        except Failure:
            found = arrived()
            missing, surplus = wanted.keys() - found.keys(), found.keys() - wanted.keys()
            raise Failure(f"of {len(wanted)} missing {len(missing)}, not wanted {len(surplus)}, different "
                          f"{sum(found[k] != wanted[k] for k in found.keys() & wanted.keys())}") from None
        return {"readings": len(wanted)}


@scenario("one-second", "a sensor writes one second for all, while the gateway is started again on a disk that fails just then")
def one_second(run):
    fault, wanted = run.directory + "/fault", set()
    write(fault, "")
    with chain(run) as rig:
        home = rig.homes[0]
        home.environment = {"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault}

        def say(count):
            for _ in range(count):
                wanted.add(15 + len(wanted) / 256)
                subprocess.run(["mosquitto_pub", "-p", str(home.broker.port), "-q", "1", "-t", "room/temperature", "-m",
                                json.dumps({"timestamp": "2026-11-30T18:46:12", "value": max(wanted)})], check=True, timeout=30)
        # Newest rows that take a while to be read.
        home.feed(rate=2000, rooms=4, seed=run.seed)
        flowing(home, 8000, 60)
        home.stop_feeding()

        def kept():
            return {json.loads(m.payload)["value"] for m in home.wire.snapshot("acknowledged") if m.topic == "room/temperature"}
        for _ in range(run.pick(15, 60)):
            say(2)
            wait_for(lambda: kept() == wanted, 30, "the readings are recorded")
            opened = home.process.output().count("journal open")
            home.kill()
            home.start()
            # It has read the newest rows, is at it, or has not begun.
            wait_for(lambda least=opened: home.process.output().count("journal open") > least, 20, "the journal is open")
            time.sleep(run.random.uniform(0, 0.06))
            write(fault, "eio")
            say(1)
            time.sleep(run.random.uniform(0, 0.2))
            write(fault, "")

        def arrived():
            points = rig.influx.points("raw_temperature", ["value"], "raw").get(home.name, {})
            return [value for (room, _), value in points.items() if room == "room"]
        try:
            wait_for(lambda: sorted(arrived()) == sorted(wanted), 60, "every reading is a point of its own")
        except Failure:
            raise Failure(f"of {len(wanted)} readings {len(wanted - set(arrived()))} are missing, {len(arrived())} points") from None
        return {"readings": len(wanted)}
