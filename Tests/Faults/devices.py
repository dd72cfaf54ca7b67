"""A home whose sensors are of other makes than the black box's, broken as others are; see makes.py."""

import time

from makes import CONFIGURATION, Devices
from processes import write
from scenarios import chain, finish, flowing, scenario


@scenario("devices", "a home of other makes' sensors loses its gateway, its links and the cloud's broker")
def devices(run):
    fault = run.directory + "/fault"
    write(fault, "")
    with chain(run, home_options={"more": CONFIGURATION}) as rig:
        home = rig.homes[0]
        home.environment = {"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault}
        home.restart()
        home.recording()
        home.feeder = Devices(home, rate=run.pick(50, 100))
        flowing(home)
        for _ in range(run.pick(3, 20)):
            home.restart()
            flowing(home, 10)
            home.wire.cut()
            flowing(home, 10)
            write(fault, run.random.choice(["eio", "enospc"]))
            time.sleep(run.random.uniform(0.2, 1))
            write(fault, "")
            rig.broker.kill()
            time.sleep(run.random.uniform(0, 0.5))
            rig.broker.start()
            flowing(home, 10)
        return finish(rig)
