"""Everything at once, for as long as is asked: `scripts/faults --hours H`."""

import time

from acknowledgements import Forger
from clouds import Faulty
from House.disks import Disk
from makes import CONFIGURATION, Devices
from processes import GATEWAY_POINTS, write
from scenarios import chain, finish, flowing, scenario


class Storm:
    """One fault after the other, or two at a time, on a running chain."""

    def __init__(self, run, rig, disk, influx, fault):
        self.run, self.rig, self.disk, self.influx, self.fault = run, rig, disk, influx, fault
        self.random = run.random
        self.counts = {}

    def strike(self):
        name = self.random.choice([
            "kill_gateway", "failpoint", "power_cut", "kill_service", "kill_broker", "kill_database", "answers", "link",
            "disk_fault", "forge", "freeze", "home_link"])
        getattr(self, name)()
        self.counts[name] = self.counts.get(name, 0) + 1

    @property
    def home(self):
        return self.random.choice(self.rig.homes)

    def pause(self, most=2.0):
        time.sleep(self.random.uniform(0, most))

    def kill_gateway(self):
        home = self.home
        home.kill()
        self.pause()
        home.start()

    def failpoint(self):
        home = self.home
        home.restart({"LD_PRELOAD": f"{self.run.failpoints} {self.run.diskfaults}",
                      "HEARTH_FAILPOINT": f"{self.random.choice(GATEWAY_POINTS)}:{self.random.randint(1, 20)}"})
        self.pause()
        home.restart()

    def power_cut(self):
        home = self.rig.homes[0]  # the one whose journal is on the disk
        self.disk.cut()
        home.kill()
        self.disk.unmount()
        self.disk.mount()
        self.pause()
        home.start()

    def kill_service(self):
        name = self.random.choice(self.rig.service_names)
        self.rig.kill(name)
        self.pause()
        self.rig.start(name)

    def kill_broker(self):
        self.rig.kill(self.rig.ingest)
        self.pause(0.7)
        self.rig.broker.kill()
        self.pause()
        self.rig.broker.start()
        self.rig.start(self.rig.ingest)

    def kill_database(self):
        self.rig.influx.kill()
        self.pause()
        self.rig.influx.start()

    def answers(self):
        self.influx.mode = "any"
        self.pause(4)
        self.influx.mode = "pass"

    def link(self):
        link = self.home.link
        what = self.random.choice(["hole", "refuse", "slice", "rate", "delay", "cut"])
        if what in ("hole", "refuse"):
            link.mode = what
        elif what == "cut":
            link.cut()
        else:
            setattr(link, what, {"slice": 1, "rate": 1200, "delay": 0.7}[what])
        self.pause(5)
        link.mode, link.slice, link.rate, link.delay = "pass", None, None, 0.0

    def disk_fault(self):
        write(self.fault, self.random.choice(["eio", "enospc", "stall 700"]))
        self.pause(3)
        write(self.fault, "")

    def forge(self):
        home = self.home
        home.link.rewrite = Forger(self.run, home.name)
        self.pause(5)
        home.link.rewrite = None

    def freeze(self):
        process = self.random.choice([self.home.process, self.rig.services[self.rig.ingest], self.rig.broker.process])
        process.signal(19)
        self.pause(3)
        process.signal(18)

    def home_link(self):
        self.home.wire.cut()


@scenario("everything", "all of it at once, at random", quick=False, alone=True)
def everything(run):
    disk = Disk(run.directory)
    influx = Faulty(0)
    fault = run.directory + "/fault"
    write(fault, "")
    try:
        with chain(run, homes=1, influx_port=influx.port,
                   home_options={"journal": disk.path + "/journal.sqlite"}) as rig:
            influx.upstream = rig.influx.port
            rig.home().start()
            # The third has no black box: five other makes.
            rig.home(more=CONFIGURATION).start()
            for home in rig.homes:
                home.recording()
                home.environment = {"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault}
                home.restart()
            for number, home in enumerate(rig.homes[:2]):
                home.feed(rate=20, seed=run.seed + 1000 * number)
            rig.homes[2].feeder = Devices(rig.homes[2])
            for home in rig.homes:
                flowing(home)
            storm = Storm(run, rig, disk, influx, fault)
            deadline = time.monotonic() + max(run.hours * 3600, 30)
            while time.monotonic() < deadline:
                storm.strike()
                time.sleep(run.random.uniform(0, 1))
            return finish(rig, 300, **storm.counts)
    finally:
        disk.remove()
