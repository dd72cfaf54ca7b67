"""The hour that comes twice: sensors that write local time without a zone, in October."""

import datetime
import json
import subprocess
import zoneinfo

from House.checks import Failure
from House.processes import wait_for
from scenarios import chain, scenario

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
