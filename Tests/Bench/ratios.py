"""The ratios that need a disturbed disk, a slow link or the kernel's counters: R2, R5, R7 under faults, R9 to R12, R14.
Each against a baseline of the same run. Called by scripts/bench --ratios."""

import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import bench
from House.brokers import MOSQUITTO, FleetingBroker
from House.disks import Disk
from House.gateway import Gateway
from House.processes import free_port, listening, popen, wait_for
from House.proxy import DOWN, UP, Proxy

OFF = "[thermostat]\nenabled = false\n"


class Ratios(bench.Bench):
    def gateway(self, directory, home, cloud, extra=OFF, environment=None):
        """A gateway, perhaps with a fault library in it."""
        gateway = Gateway(self.options.programs, directory, home, cloud, extra)
        gateway.environment = environment or {}
        gateway.start()
        wait_for(gateway.connected, 20, "the gateway connects")
        gateway.recording()
        return gateway

    def faults(self, directory, text=""):
        path = os.path.join(directory, "fault")
        with open(path, "w") as f:
            f.write(text)
        return {"LD_PRELOAD": f"{self.options.tools}/diskfaults.so", "HEARTH_FAULT_FILE": path}

    def recorded(self, gateway, count, seconds=120):
        wait_for(lambda: gateway.status()["counters"]["recorded"] >= count, seconds, "all recorded")

    def rate(self, fault, count=100_000):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "home")
            gateway = self.gateway(directory, broker.port, free_port(), environment=self.faults(directory, fault))
            start = time.monotonic()
            self.load(broker.port, count)
            self.recorded(gateway, count)
            seconds = time.monotonic() - start
            gateway.stop()
            broker.stop()
            return count / seconds

    def slow_disk(self):
        plain, slow = [], []
        for _ in range(self.options.runs):
            plain.append(self.rate(""))
            slow.append(self.rate("stall 10"))
        self.row("R2 durable ingest with 10 ms per fsync / without", statistics.median(slow) / statistics.median(plain), 0.9,
                 "higher", f"msg/s: without {self.list(plain)}; with 10 ms {self.list(slow)}")

    def processor(self):
        count, ours, theirs = 200_000, [], []
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                broker = FleetingBroker(directory, "home")
                subscriber = popen([f"{self.options.tools}/discard", str(broker.port), "+/temperature", str(count)],
                                   stdout=subprocess.PIPE, text=True)
                subscriber.stdout.readline()
                self.load(broker.port, count)
                loaded = resource.getrusage(resource.RUSAGE_CHILDREN)
                subscriber.wait()
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                broker.stop()
                theirs.append((after.ru_utime + after.ru_stime - loaded.ru_utime - loaded.ru_stime) * 1e6 / count)
            with tempfile.TemporaryDirectory() as directory:
                broker = FleetingBroker(directory, "home")
                gateway = self.gateway(directory, broker.port, free_port())
                start = gateway.cpu()
                self.load(broker.port, count)
                self.recorded(gateway, count)
                ours.append((gateway.cpu() - start) * 1e6 / count)
                gateway.stop()
                broker.stop()
        self.row("R9 processor time per reading / discarding subscriber", statistics.median(ours) / statistics.median(theirs), 1.5,
                 "lower", f"µs per reading: hearthd {self.decimals(ours)}; discarding {self.decimals(theirs)}")

    def disk_bytes(self):
        """Bytes that reach the device, the file system's own included, at 1000 readings a second; the baseline commits each
        row by itself, with SQLite's own checkpoints. (The kernel's write_bytes per process counts whole folios.)"""
        with tempfile.TemporaryDirectory(dir=self.options.disk) as directory:
            disk = Disk(directory, size=512 << 20)
            try:
                ours, flushes = self.stream(disk, {})
                rarely, few = self.stream(disk, {"HEARTH_JOURNAL_COMMIT_INTERVAL": "1s"})
                naive = self.row_per_commit(disk, 2_000)
            finally:
                disk.remove()
        self.row("R10 bytes to disk per reading, row per commit / hearthd, at 1000/s", naive / ours, 100, "higher",
                 f"bytes per reading: hearthd {ours:.0f}, row per commit {naive:.0f}")
        self.row("R10 the same with commit_interval = 1s", naive / rarely, None, "higher",
                 f"bytes per reading {rarely:.0f}, commits per reading {few:.4f}")
        self.row("R11 flushes per reading at 1000/s", flushes, 0.02, "lower", f"commits per reading {flushes:.4f}")

    def stream(self, disk, environment, count=30_000):
        """Bytes to disk and commits, each per reading."""
        with tempfile.TemporaryDirectory(dir=disk.path) as directory:
            broker = FleetingBroker(directory, "home")
            gateway = self.gateway(directory, broker.port, free_port(), environment=environment)
            before, commits = disk.written(), gateway.status()["journal"]["commits"]
            self.load(broker.port, count, "--rate", "1000")
            self.recorded(gateway, count)
            ours = (disk.written() - before) / count
            flushes = (gateway.status()["journal"]["commits"] - commits) / count
            gateway.stop()
            broker.stop()
        return ours, flushes

    @staticmethod
    def row_per_commit(disk, count):
        with tempfile.TemporaryDirectory(dir=disk.path) as directory:
            database = sqlite3.connect(directory + "/naive.sqlite", isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute("CREATE TABLE reading (id INTEGER PRIMARY KEY, topic TEXT, payload BLOB)")
            before = disk.written()
            for number in range(count):
                database.execute("INSERT INTO reading (topic, payload) VALUES (?, ?)",
                                 ("office/temperature", b'{"timestamp": "2026-11-23T10:00:00.123456", "value": 20.%09d}' % number))
            written = (disk.written() - before) / count
            database.close()
            return written

    def wire_bytes(self):
        """What leaves and enters the home for a reading: a backlog in frames, and one JSON message for each."""
        sizes = {}
        for name, confirm, count in (("frames", "ingestor", 100_000), ("one by one", "broker", 5_000)):
            with tempfile.TemporaryDirectory() as directory:
                home, port = FleetingBroker(directory, "home"), free_port()
                cloud = FleetingBroker(directory, "cloud", port=port)
                link = Proxy(port)
                link.mode = "refuse"
                gateway = Gateway(self.options.programs, directory, home.port, link.port, OFF, confirm=confirm).start()
                wait_for(gateway.connected, 20, "the gateway records")
                self.load(home.port, count, "--payload", "sensor", "--step", "1000000")
                self.recorded(gateway, count)
                if name == "frames":
                    peer = popen([f"{self.options.programs}/hearth-sim", "confirm", "--home", "home1", "--port", str(port)],
                                 stdout=subprocess.DEVNULL)
                else:
                    peer = popen(["mosquitto_sub", "-p", str(port), "-t", "#", "-q", "1"], stdout=subprocess.DEVNULL)
                time.sleep(0.5)
                link.mode = "pass"
                gateway.stop()
                gateway.start()
                wait_for(lambda g=gateway: (g.status() or {"uplink": {"confirmedThrough": 0}})["uplink"]["confirmedThrough"]
                         >= count, 120, "everything has left")
                sizes[name] = (link.bytes[UP] + link.bytes[DOWN]) / count
                gateway.stop()
                peer.kill()
                link.close()
                home.stop()
                cloud.stop()
        self.row("R14 bytes on the uplink per reading, frames / one JSON message", sizes["frames"] / sizes["one by one"], 0.1,
                 "lower", f"bytes per reading, both directions, confirmations included: frames {sizes['frames']:.1f}, "
                          f"one by one {sizes['one by one']:.1f}")

    def drain_far_away(self):
        """100 ms round trip. The bridge (Mosquitto 2.0.11) does not keep to its window of 20 while it empties a queue, so
        its rate is no window's either."""
        count, bridged = 1_000_000, 100_000
        with tempfile.TemporaryDirectory() as directory:
            home, cloud = FleetingBroker(directory, "home"), FleetingBroker(directory, "cloud")
            link = Proxy(cloud.port)
            link.mode = "refuse"
            gateway = Gateway(self.options.programs, directory, home.port, link.port, OFF).start()
            wait_for(gateway.connected, 20, "the gateway records")
            self.load(home.port, count)
            self.recorded(gateway, count)
            peer = popen([f"{self.options.programs}/hearth-sim", "confirm", "--home", "home1", "--port", str(cloud.port)],
                         stdout=subprocess.DEVNULL)
            link.delay, link.mode = 0.05, "pass"
            gateway.stop()
            start = time.monotonic()
            gateway.start()
            wait_for(lambda: (gateway.status() or {"uplink": {"confirmedThrough": 0}})["uplink"]["confirmedThrough"] >= count,
                     300, "drained")
            ours = count / (time.monotonic() - start)
            gateway.stop()
            peer.kill()
            theirs = self.bridge_rate(directory, bridged, link)
            link.close()
            home.stop()
            cloud.stop()
        self.row("R5 drain at 100 ms round trip / Mosquitto's bridge", ours / theirs, 100, "higher",
                 f"readings/s: hearthd {ours:.0f} ({count} rows, first connection included), bridge {theirs:.0f}")

    def bridge_rate(self, directory, count, link):
        path = os.path.join(directory, "bridge.conf")
        port = free_port()
        with open(path, "w") as f:
            f.write(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nconnection up\n"
                    f"address 127.0.0.1:{link.port}\ntopic # out 1 \"\" bridged/\ncleansession false\nrestart_timeout 1\n")
        link.mode = "refuse"
        bridge = popen([MOSQUITTO, "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listening(port), 10, "the bridge listens")
        self.load(port, count)
        before = link.count("confirmed")
        link.mode = "pass"
        wait_for(lambda: link.count("confirmed") > before, 60, "the bridge sends")
        start, first = time.monotonic(), link.count("confirmed")
        wait_for(lambda: link.count("confirmed") - before >= count, 120, "the bridge has sent everything")
        rate = (link.count("confirmed") - first) / (time.monotonic() - start)
        bridge.kill()
        bridge.wait()
        return rate

    def latency_under_faults(self):
        """Reading to command while every fsync hangs, over the same without."""
        calm, hard = [], []
        for _ in range(self.options.runs):
            for fault, results in (("", calm), ("stall 60000", hard)):
                with tempfile.TemporaryDirectory() as directory:
                    home, cloud = FleetingBroker(directory, "home"), FleetingBroker(directory, "cloud")
                    gateway = self.gateway(directory, home.port, cloud.port, "", self.faults(directory))
                    self.faults(directory, fault)
                    results.append(self.probe(home.port, 1_500))
                    self.faults(directory)
                    gateway.kill()
                    home.stop()
                    cloud.stop()
        for share, name in [(0.99, "p99"), (0.5, "p50")]:
            a = statistics.median(self.percentile(r, share) for r in calm)
            b = statistics.median(self.percentile(r, share) for r in hard)
            self.row(f"R7 reading to command {name} with a disk that hangs / healthy", b / a, 1.1 if name == "p99" else None,
                     "lower", f"µs: healthy {a:.0f}, every fsync hanging {b:.0f}")

    def devices(self):
        """What fifty rules cost a house whose black boxes stay what they are: durable ingest, and reading to command."""
        rules = "".join(f'[[sensors]]\nkind = "{kind}"\ntopic = "{topic}"\nroom = "room{n}"\n' for n in range(10) for kind, topic in (
            ("zigbee2mqtt", f"zigbee2mqtt/sensor{n}"), ("tasmota", f"tele/tasmota{n}/SENSOR"),
            ("shelly", f"shelly{n}/status/temperature:0"), ("esphome", f"node{n}/sensor/temperature/state"),
            ("plain", f"boards/{n}/all")))
        rates, latencies = ([], []), ([], [])
        for run in range(self.options.runs):
            halves = [(0, ""), (1, rules)][::1 if run % 2 == 0 else -1]
            for index, extra in halves:
                rates[index].append(self.ingest_rate(OFF + extra))
            # A single run's p99 lies between 300 and 1500 µs: more of them, and all their readings together.
            for index, extra in halves * 4:
                with tempfile.TemporaryDirectory() as directory:
                    broker = FleetingBroker(directory, "home")
                    gateway = self.gateway(directory, broker.port, free_port(), extra)
                    latencies[index].append(self.probe(broker.port, 2000))
                    gateway.stop()
                    broker.stop()
        self.row("durable ingest with 50 device rules / without", statistics.median(rates[1]) / statistics.median(rates[0]), 0.95,
                 "higher", f"msg/s: without {self.list(rates[0])}; with {self.list(rates[1])}")
        for share, name in [(0.99, "p99"), (0.5, "p50")]:
            a, b = (self.percentile([one for run in half for one in run], share) for half in latencies)
            each = "; ".join(f"{label} {self.list([self.percentile(run, share) for run in half])}"
                             for label, half in zip(("without", "with"), latencies))
            self.row(f"reading to command {name} with 50 device rules / without", b / a, 1.05 if name == "p99" else None, "lower",
                     f"µs: without {a:.0f}, with {b:.0f}; of each run: {each}")

    def ingest_rate(self, extra, count=100_000):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "home")
            gateway = self.gateway(directory, broker.port, free_port(), extra)
            start = time.monotonic()
            self.load(broker.port, count)
            self.recorded(gateway, count)
            rate = count / (time.monotonic() - start)
            gateway.stop()
            broker.stop()
            return rate

    @staticmethod
    def decimals(values):
        return "[" + ", ".join(f"{v:.2f}" for v in values) + "]"


PARTS = ["slow_disk", "processor", "disk_bytes", "wire_bytes", "drain_far_away", "latency_under_faults", "devices"]


def main():
    return bench.run("scripts/bench --ratios", Ratios, PARTS, disk="/var/tmp")


if __name__ == "__main__":
    sys.exit(main())
