"""What an outage costs when it is over: R6, the heating beside a draining backlog, and R17, the catching up of many homes
through narrow links. Called by scripts/bench --outage."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import bench
from House.brokers import FleetingBroker
from House.cloud import Cloud
from House.databases import Database
from House.gateway import Gateway
from House.processes import popen, wait_for
from House.proxy import DOWN, UP, Proxy


class Draining:
    """A home with a backlog, whose link to the cloud opens and closes."""

    count = 200_000

    def __init__(self, outage, directory, name):
        path = os.path.join(directory, name)
        os.makedirs(path)
        self.home, self.cloud = FleetingBroker(path, "home"), FleetingBroker(path, "cloud")
        self.link = Proxy(self.cloud.port)
        self.link.mode, self.link.rate = "refuse", 64_000
        self.gateway = Gateway(outage.options.programs, path, self.home.port, self.link.port).start()
        wait_for(self.gateway.connected, 20, "the gateway connects")
        outage.load(self.home.port, self.count, "--payload", "sensor")
        wait_for(lambda: self.uplink()["backlog"] >= self.count, 120, "the backlog waits")
        self.peer = popen([f"{outage.options.programs}/hearth-sim", "confirm", "--home", "home1", "--port",
                           str(self.cloud.port)], stdout=subprocess.DEVNULL)

    def uplink(self):
        return self.gateway.status()["uplink"]

    def begin(self):
        before = self.uplink()["confirmedThrough"]
        self.link.mode = "pass"
        wait_for(lambda: self.uplink()["confirmedThrough"] > before, 90, "the backlog leaves")

    def end(self):
        if self.uplink()["backlog"] == 0:
            raise RuntimeError("the backlog was gone before the probe had ended")
        self.link.mode = "refuse"
        self.link.cut()

    def stop(self):
        self.gateway.stop()
        self.peer.kill()
        self.link.close()
        self.home.stop()
        self.cloud.stop()


class Outage(bench.Bench):
    def live_latency(self):
        """Reading to command while the gateway's own backlog leaves through a link of 512 kbit/s, over the same while
        another gateway's does: brokers, links and gateways share the machine's cores in either case."""
        results = {"waiting": [], "another's": [], "its own": []}
        for run in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                ours, other = Draining(self, directory, "ours"), Draining(self, directory, "other")
                results["waiting"].append(self.probe(ours.home.port, 5_000))
                for name, draining in [("another's", other), ("its own", ours)][::1 if run % 2 else -1]:
                    draining.begin()
                    results[name].append(self.probe(ours.home.port, 5_000))
                    draining.end()
                ours.stop()
                other.stop()
        for share, name, target in [(0.99, "p99", 1.1), (0.5, "p50", None)]:
            of = {key: [self.percentile(run, share) for run in runs] for key, runs in results.items()}
            middle = {key: statistics.median(runs) for key, runs in of.items()}
            raw = "µs: " + "; ".join(f"{key} {middle[key]:.0f} {self.list(runs)}" for key, runs in of.items())
            self.row(f"R6 reading to command {name}, its own backlog draining / another gateway's",
                     middle["its own"] / middle["another's"], target, "lower", raw)

    def catch_up(self):
        """A day of a reading each two seconds, of many homes at once, each behind 128 kbit/s, into InfluxDB. Its bound is
        the time that the bytes take that the gateways sent."""
        homes, count, rate = 20, 43_200, 16_000
        with tempfile.TemporaryDirectory() as directory:
            # All gateways read the same home broker; each is a home of its own to the cloud.
            home, cloud_broker, database = FleetingBroker(directory, "home"), FleetingBroker(directory, "cloud"), Database(directory)
            cloud = Cloud(self.options.programs, directory, "serve", cloud_broker.port, database.port)
            # The rate is each connection's.
            link, gateways = Proxy(cloud_broker.port), []
            link.mode, link.rate = "refuse", rate
            for number in range(homes):
                os.makedirs(f"{directory}/{number}")
                gateways.append(Gateway(self.options.programs, f"{directory}/{number}", home.port, link.port,
                                        "[thermostat]\nenabled = false\n", name=f"home{number}").start())
            for gateway in gateways:
                wait_for(gateway.connected, 30, "the gateways record")
            self.load(home.port, count, "--step", "2000000", "--payload", "sensor")
            for gateway in gateways:
                wait_for(lambda: gateway.status()["uplink"]["backlog"] >= count, 300, "the backlogs wait")
                gateway.stop()
            link.mode = "pass"
            start = time.monotonic()
            for gateway in gateways:
                gateway.start()
            wait_for(lambda: cloud.drained(homes * count), 600, "all in the database")
            seconds = time.monotonic() - start
            stored = database.count("raw", "raw_temperature")
            if stored != homes * count:
                raise RuntimeError(f"{stored} points of {homes * count}")
            bound = link.bytes[UP] / homes / rate
            self.row(f"R17 {homes} homes catch up {count} readings each: time / bytes by bandwidth", seconds / bound, 1.3, "lower",
                     f"s: {seconds:.1f} from the gateways' start to the last point, bound {bound:.1f}; bytes per reading up "
                     f"{link.bytes[UP] / homes / count:.2f}, down {link.bytes[DOWN] / homes / count:.2f}; "
                     f"{homes * count / seconds:.0f} readings/s in all")
            for gateway in gateways:
                gateway.stop()
            cloud.stop()
            link.close()
            for process in (home, cloud_broker, database):
                process.stop()


PARTS = ["live_latency", "catch_up"]


def main():
    return bench.run("scripts/bench --outage", Outage, PARTS)


if __name__ == "__main__":
    sys.exit(main())
