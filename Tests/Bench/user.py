"""What a user would measure, beside what a user would pick instead. Called by scripts/bench --user.

Each row has its baseline in the same run, one after the other in turns; the value is the ratio or the figure, the raw values
stand below."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import bench
from cloud_costs import DAY, CloudCosts
from House.brokers import FleetingBroker
from House.databases import Database
from House.kafka import MockCluster, Tansu
from House.processes import Process, free_port, listening, popen, wait_for
from House.proxy import DOWN, UP, Proxy
from household import ROOMS, Home, Kernel, Points, Sensors
from thermostats import Thermostats


class User(CloudCosts, Thermostats):
    def direct(self, seconds):
        """Milliseconds from a sensor's message to its point when a subscriber writes each reading by itself and waits."""
        with tempfile.TemporaryDirectory() as directory:
            broker, database = FleetingBroker(directory, "home"), Database(directory)
            subscriber = popen(["mosquitto_sub", "-p", str(broker.port), "-q", "1", "-t", "+/temperature", "-F", "%t %p"],
                               stdout=subprocess.PIPE, text=True, bufsize=1)
            threading.Thread(target=self.write_each, args=(subscriber, database.port), daemon=True).start()
            time.sleep(1)
            points = Points(database)
            sensors = Sensors(broker.port)
            time.sleep(seconds)
            sensors.stop()
            delays = points.delays(sensors.left)
            points.stop()
            subscriber.kill()
            subscriber.wait()
            broker.stop()
            database.stop()
            return delays

    @staticmethod
    def write_each(subscriber, port):
        for line in subscriber.stdout:
            room, value = line.split("/", 1)[0], line.rsplit(" ", 1)[1].rstrip("}\n")
            body = f"raw_temperature,room={room} value={value} {time.time_ns()}".encode()
            urllib.request.urlopen(f"http://127.0.0.1:{port}/write?db=raw", body, timeout=10).close()

    def latency_to_point(self):
        """The mock lets an empty fetch wait for the whole of fetch.wait.max.ms; the other broker answers it with what arrives."""
        other = os.path.join(self.options.tools, "tansu")
        targets = {"embedded": 300, "embedded, 0s": None, "Kafka (mock), 0s": 100}
        if os.path.exists(other):
            targets["Kafka (Tansu), 0s"] = 100
        found = {name: [] for name in (*targets, "direct")}
        for _ in range(self.options.runs):
            found["direct"].append(self.direct(8))
            for name in targets:
                if name.endswith("0s"):
                    os.environ["HEARTH_JOURNAL_COMMIT_INTERVAL"] = "0s"
                with tempfile.TemporaryDirectory() as directory:
                    kafka = (MockCluster(f"{self.options.programs}/mock-kafka") if "mock" in name else
                             Tansu(other, directory) if "Tansu" in name else None)
                    home = Home(self.options.programs, directory, kafka=kafka)
                    home.latencies(3)  # Until every part has had its first reading.
                    found[name].append(home.latencies(8))
                    home.stop()
                    if kafka:
                        kafka.close()
                os.environ.pop("HEARTH_JOURNAL_COMMIT_INTERVAL", None)
        direct = {share: statistics.median(self.percentile(r, share) for r in found["direct"]) for share in (0.5, 0.99)}
        for name, target in targets.items():
            for share, label in ((0.5, "p50"), (0.99, "p99")):
                values = [self.percentile(r, share) for r in found[name]]
                self.row(f"sensor to point, {name}, {label}, ms", statistics.median(values), target if share == 0.99 else None, "lower",
                         f"ms {self.list(values)}; written directly, one by one: {direct[share]:.0f}; both seen by a query each 4 ms")

    def behind_a_backlog(self):
        """Readings that come while a backlog of 100 000 leaves through 1 Mbit/s: they follow what waits, in order. On each engine."""
        count, other = 100_000, os.path.join(self.options.tools, "tansu")
        for engine in ["embedded", "Kafka (Tansu)" if os.path.exists(other) else "Kafka (mock)"]:
            with tempfile.TemporaryDirectory() as directory:
                kafka = (None if engine == "embedded" else Tansu(other, directory) if "Tansu" in engine else
                         MockCluster(f"{self.options.programs}/mock-kafka"))
                home = Home(self.options.programs, directory, kafka=kafka, link=Proxy)
                home.link.rate, home.link.delay = 125_000, 0.04
                home.link.mode = "refuse"
                home.link.cut()
                # Readings of the days before, so that the new ones are the newest.
                self.load(home.broker.port, count, "--payload", "sensor", "--step", "1000000", "--start",
                          str(int(time.time() - 2 * DAY) * 10**6))
                wait_for(lambda: home.gateway.status()["uplink"]["backlog"] >= count, 60, "the backlog waits")
                home.link.mode = "pass"
                start = time.monotonic()
                wait_for(lambda: home.gateway.status()["uplink"]["backlog"] < count, 90, "the backlog leaves")
                points, sensors = Points(home.database), Sensors(home.broker.port)
                wait_for(lambda: home.gateway.status()["uplink"]["backlog"] < 500, 120, "the backlog is through")
                sensors.stop()
                delays = points.delays(sensors.left, 120)
                points.stop()
                seconds = time.monotonic() - start
                home.stop()
                if kafka:
                    kafka.close()
            for share, label in ((0.5, "p50"), (0.99, "p99")):
                self.row(f"sensor to point while a backlog of 100 000 drains through 1 Mbit/s, {engine}, {label}, s",
                         self.percentile(delays, share) / 1e3, None, "lower",
                         f"{len(delays)} readings from its first confirmation on; all were there after {seconds:.1f} s, reconnection included",
                         milliseconds=delays)

    def rest(self):
        """All daemons of a home whose page nobody watches, beside a subscriber that throws its readings away."""
        with tempfile.TemporaryDirectory(dir=self.options.disk) as directory:
            home = Home(self.options.programs, directory)
            web = self.page(directory, home.gateway.socket)
            ours = home.rest(beside=[web.pid])
            subscriber = popen(["mosquitto_sub", "-p", str(home.broker.port), "-q", "1", "-t", "+/temperature"], stdout=subprocess.DEVNULL)
            sensors = Sensors(home.broker.port)
            time.sleep(2)
            before = Kernel([subscriber.pid])
            time.sleep(10)
            theirs = Kernel([subscriber.pid]).since(before)
            sensors.stop()
            subscriber.kill()
            subscriber.wait()
            web.terminate()
            home.stop()
        page = ours["beside"]
        raw = f"{ours['wakeups']}; {ours['commits_per_second']:.2f} commits/s; load {os.getloadavg()[0]:.1f}"
        for what, key, unit, target, more in (
                ("processor, % of a core", "processor_percent", 1, 0.2, f"a subscriber that discards {theirs['processor_percent']:.2f}"),
                ("wake-ups a second", "wakeups_per_second", 1, 10, f"a subscriber that discards {theirs['wakeups_per_second']:.1f}; {raw}"),
                ("KiB/s written (write_bytes)", "bytes_per_second", 1024, 25, f"{ours['bytes_per_second'] * DAY / 1e9:.2f} GB a day"),
                ("private memory, MB", "private_kibibytes", 1024, None, "Private_Dirty")):
            self.row(f"a home at rest, hearthd, its child and hearth-web: {what}", (ours[key] + page[key]) / unit, target, "lower",
                     f"hearthd and its child {ours[key] / unit:.2f}, hearth-web {page[key] / unit:.2f}; {more}",
                     gateway=ours[key] / unit, page=page[key] / unit)

    def page(self, directory, socket):
        port = free_port()
        web = Process([f"{self.options.programs}/hearth-web", "--listen", f"127.0.0.1:{port}", "--socket", socket], f"{directory}/web.log")
        wait_for(lambda: listening(port), 10, lambda: f"hearth-web listens; it says: {web.output()[-1000:]}")
        return web

    def intervals(self):
        """What `commit_interval` buys and costs, five readings a second. The longest wait of a reading, times the readings a
        second, is what a power cut can leave to the home broker's memory."""
        for interval in ("0s", "100ms", "250ms", "1s", "5s", "20s"):
            os.environ["HEARTH_JOURNAL_COMMIT_INTERVAL"] = interval
            with tempfile.TemporaryDirectory(dir=self.options.disk) as directory:
                home = Home(self.options.programs, directory)
                rest = home.rest(warm=3, seconds=30 if interval == "20s" else 12)
                delays = home.latencies(25 if interval == "20s" else 10)
                home.stop()
            os.environ.pop("HEARTH_JOURNAL_COMMIT_INTERVAL")
            self.row(f"commit_interval {interval}: MB written a day", rest["bytes_per_second"] * DAY / 1e6, None, "lower",
                     f"{rest['commits_per_second']:.2f} commits/s, {rest['wakeups_per_second']:.0f} wake-ups/s; sensor to point p50 "
                     f"{self.percentile(delays, 0.5):.0f} ms, p99 {self.percentile(delays, 0.99):.0f} ms, longest {max(delays):.0f} ms: "
                     f"{max(delays) / 1e3 * ROOMS:.1f} readings", bytes_a_day=rest["bytes_per_second"] * DAY,
                     commits=rest["commits_per_second"], wakeups=rest["wakeups_per_second"], p50=self.percentile(delays, 0.5),
                     p99=self.percentile(delays, 0.99), readings=max(delays) / 1e3 * ROOMS)

    def boot(self):
        """From the process's start to the first point of a reading that came after it, beside mosquitto_sub's first message."""
        ours, theirs = [], []
        with tempfile.TemporaryDirectory() as directory:
            home = Home(self.options.programs, directory)
            sensors = Sensors(home.broker.port, rate=50)
            for _ in range(2 * self.options.runs):
                home.gateway.stop()
                points = Points(home.database)
                time.sleep(0.5)
                known = len(points.seen)
                start = time.monotonic()
                home.gateway.start()
                wait_for(lambda: len(points.seen) > known, 20, "the first point")
                ours.append((max(points.seen.values()) - start) * 1e3)
                points.stop()
                start = time.monotonic()
                subprocess.run(["mosquitto_sub", "-p", str(home.broker.port), "-t", "+/temperature", "-C", "1"], check=True,
                               stdout=subprocess.DEVNULL)
                theirs.append((time.monotonic() - start) * 1e3)
            sensors.stop()
            home.stop()
        self.row("first reading after the start of hearthd in the database, ms", statistics.median(ours), None, "lower",
                 f"ms {self.list(ours)}; mosquitto_sub to its first message {self.list(theirs)}")

    def outage(self):
        """24 hours of 20 sensors, a reading each ten seconds, through 1 Mbit/s and 80 ms."""
        count, rate = 20 * DAY // 10, 125_000
        with tempfile.TemporaryDirectory() as directory:
            home = Home(self.options.programs, directory, "[thermostat]\nenabled = false\n", link=Proxy)
            link = home.link
            link.rate, link.delay, link.mode = rate, 0.04, "refuse"
            link.cut()
            self.load(home.broker.port, count, "--rooms", "20", "--payload", "sensor", "--step", "10000000")
            wait_for(lambda: home.gateway.status()["uplink"]["backlog"] >= count, 120, "the backlog waits")
            up = link.bytes[UP]
            home.gateway.stop()
            link.mode = "pass"
            start = time.monotonic()
            home.gateway.start()
            wait_for(lambda: home.services[0].drained(count), 300, "all in the database")
            seconds = time.monotonic() - start
            stored, bound = home.database.count("raw", "raw_temperature"), (link.bytes[UP] - up) / rate
            home.stop()
        self.row("24 h of 20 sensors catch up through 1 Mbit/s, 80 ms: time / bytes by bandwidth", seconds / bound, 1.3, "lower",
                 f"s: {seconds:.1f}, bound {bound:.1f}; {stored} points of {count}; bytes per reading up "
                 f"{(link.bytes[UP] - up) / count:.2f}, down {link.bytes[DOWN] / count:.2f}")


PARTS = ["latency_to_point", "behind_a_backlog", "command", "rest", "intervals", "boot", "outage", "chain_cost", "growth"]


def main():
    return bench.run("scripts/bench --user", User, PARTS, runs=3, disk="/var/tmp")


if __name__ == "__main__":
    sys.exit(main())
