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
from cloud_bench import CloudBench
from House.brokers import FleetingBroker
from House.checks import not_run
from House.cloud import Cloud
from House.databases import Database
from House.kafka import MockCluster, Tansu
from House.processes import popen, processor_seconds, wait_for
from House.proxy import DOWN, UP, Proxy
from household import ROOMS, Home, Kernel, Points, Sensors

DAY = 86_400


class User(CloudBench):
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
        """A reading that comes while a backlog of 100 000 leaves through 1 Mbit/s: it follows what waits, in order."""
        count = 100_000
        with tempfile.TemporaryDirectory() as directory:
            home = Home(self.options.programs, directory, link=Proxy)
            home.link.rate, home.link.delay = 125_000, 0.04
            home.link.mode = "refuse"
            home.link.cut()
            # Readings of the days before, so that the new ones are the newest.
            self.load(home.broker.port, count, "--payload", "sensor", "--step", "1000000", "--start", str(int(time.time() - 2 * DAY) * 10**6))
            wait_for(lambda: home.gateway.status()["uplink"]["backlog"] >= count, 60, "the backlog waits")
            home.link.mode = "pass"
            start = time.monotonic()
            wait_for(lambda: home.gateway.status()["uplink"]["backlog"] < count, 90, "the backlog leaves")
            points, sensors = Points(home.database), Sensors(home.broker.port)
            time.sleep(1)
            sensors.stop()
            delays = points.delays(sensors.left, 120)
            points.stop()
            seconds = time.monotonic() - start
            home.stop()
        self.row("sensor to point while a backlog of 100 000 drains through 1 Mbit/s, p50, s", statistics.median(delays) / 1e3, None,
                 "lower", f"the backlog and the new readings were there after {seconds:.1f} s, reconnection included")

    def command(self):
        self.latency()
        not_run("Home Assistant's generic_thermostat", "its tree is not here (scripts/test-home-assistant has one)")

    def rest(self):
        """Beside a subscriber that throws its readings away."""
        with tempfile.TemporaryDirectory(dir=self.options.disk) as directory:
            home = Home(self.options.programs, directory)
            ours = home.rest()
            subscriber = popen(["mosquitto_sub", "-p", str(home.broker.port), "-q", "1", "-t", "+/temperature"], stdout=subprocess.DEVNULL)
            sensors = Sensors(home.broker.port)
            time.sleep(2)
            before = Kernel([subscriber.pid])
            time.sleep(10)
            theirs = Kernel([subscriber.pid]).since(before)
            sensors.stop()
            subscriber.kill()
            subscriber.wait()
            home.stop()
        raw = f"{ours['wakeups']}; {ours['commits_per_second']:.2f} commits/s; load {os.getloadavg()[0]:.1f}"
        self.row("a home at rest: processor, % of a core", ours["processor_percent"], 0.2, "lower",
                 f"a subscriber that discards: {theirs['processor_percent']:.2f}")
        self.row("a home at rest: wake-ups a second", ours["wakeups_per_second"], 10, "lower",
                 f"a subscriber that discards: {theirs['wakeups_per_second']:.1f}; {raw}")
        self.row("a home at rest: KiB/s written (write_bytes)", ours["bytes_per_second"] / 1024, 25, "lower",
                 f"{ours['bytes_per_second'] * DAY / 1e9:.2f} GB a day")
        self.row("a home at rest: private memory of both processes, MB", ours["private_kibibytes"] / 1024, None, "lower", "Private_Dirty")

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
                     f"{max(delays) / 1e3 * ROOMS:.1f} readings")

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

    def chain_cost(self):
        """Readings a second for each core that the whole chain takes (cloud broker, hearth-cloud, InfluxDB), over the same of
        curl with the same points in files (InfluxDB alone)."""
        count, ours, theirs = 200_000, [], []
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                broker, database = FleetingBroker(directory, "cloud"), Database(directory)
                cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port)
                processes = (broker.process, cloud.process, database.process)
                before = sum(map(processor_seconds, processes))
                self.load(broker.port, count, *self.homes)
                wait_for(lambda: cloud.drained(count), 300, "all in the database")
                ours.append(count / (sum(map(processor_seconds, processes)) - before))
                cloud.stop()
                broker.stop()
                bodies = self.bodies(directory, database)
                database.stop()
                fresh = Database(os.path.join(tempfile.mkdtemp(dir=directory)))
                before = processor_seconds(fresh.process)
                for name, path, _ in bodies:
                    subprocess.run(["curl", "-sS", "-f", "-XPOST", "-H", "Content-Encoding: gzip", "--data-binary", f"@{path}",
                                    f"http://127.0.0.1:{fresh.port}/write?db={name}"], check=True, stdout=subprocess.DEVNULL)
                theirs.append(count / (processor_seconds(fresh.process) - before))
                fresh.stop()
        self.row("readings/s per core, sensor's message to all databases / InfluxDB alone with curl",
                 statistics.median(ours) / statistics.median(theirs), None, "higher",
                 f"readings/s per core: chain {self.list(ours)}; InfluxDB with curl {self.list(theirs)}")

    def growth(self):
        """What a home costs the cloud when there are 1, 100 and 10 000 of them: a day of five rooms with a reading a second. The
        first readings of a process make what it keeps of each room; those that follow are what a home costs for as long as it runs."""
        count, cost = 150_000, {}
        for homes in (1, 100, 10_000):
            with tempfile.TemporaryDirectory() as directory:
                broker, database = FleetingBroker(directory, "cloud"), Database(directory)
                link = Proxy(broker.port)
                cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port)
                spent, start = [], int(time.time()) // 60 * 60_000_000
                for part in range(2):
                    before = [processor_seconds(p) for p in (cloud.process, database.process)]
                    self.load(link.port, count, "--homes", str(homes), "--rooms", str(ROOMS), "--payload", "sensor", "--step", "1000000",
                              "--start", str(start), "--first", str(part * count // (homes * ROOMS)))
                    wait_for(lambda: cloud.drained((part + 1) * count), 300, "all in the database")
                    wait_for(cloud.is_quiet, 60, "P4 is through, too")
                    spent.append([processor_seconds(p) - b for p, b in zip((cloud.process, database.process), before)])
                points = cloud.stored()
                os.sync()
                disk = [int(subprocess.run(["du", "-s", "--block-size=1", *paths], check=True, capture_output=True, text=True).stdout.split()[0])
                        for paths in ([f"{directory}/events.sqlite"], [database.directory])]
                cost[homes] = {"hearth-cloud at first, CPU s": spent[0][0], "hearth-cloud, CPU s": spent[1][0],
                               "InfluxDB, CPU s": spent[1][1], "wire, MB": link.bytes[UP] / 2e6, "log, MB": disk[0] / 2e6,
                               "InfluxDB, MB": disk[1] / 2e6, "points": points / 2}
                for process in (cloud, broker, database):
                    process.stop()
                link.close()
        a_day = ROOMS * DAY / count
        for homes, values in cost.items():
            print(f"     a home's day with {homes} homes: " + ", ".join(f"{k} {v * a_day:.1f}" for k, v in values.items()), flush=True)
        for title, key in (("", "hearth-cloud, CPU s"), (", its first readings", "hearth-cloud at first, CPU s")):
            self.row(f"CPU of hearth-cloud for a home{title}, 10 000 homes / 100", cost[10_000][key] / cost[100][key],
                     1.1, "lower", f"CPU s for {count} readings: " + "; ".join(f"{h}: {c[key]:.2f}" for h, c in cost.items()))
        self.rows[-1]["cost"] = {str(h): {k: v * a_day for k, v in c.items()} for h, c in cost.items()}


PARTS = ["latency_to_point", "behind_a_backlog", "command", "rest", "intervals", "boot", "outage", "chain_cost", "growth"]


def main():
    return bench.run("scripts/bench --user", User, PARTS, runs=3, disk="/var/tmp")


if __name__ == "__main__":
    sys.exit(main())
