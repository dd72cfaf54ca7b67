"""Measures the gateway against baselines in the same run. Called by scripts/bench."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.brokers import FleetingBroker
from House.gateway import Gateway
from House.processes import free_port, popen, wait_for


class Bench:
    # The load generator's readings lie below it.
    heating = "[thermostat]\non_below = 21.0\n"

    def __init__(self, options):
        self.options = options
        self.rows = []
        self.told = {}  # What each row says of where it is from.

    def load(self, port, count, *more):
        return subprocess.run(
            [f"{self.options.programs}/hearth-sim", "load", "--port", str(port), "--count", str(count), "--json", *more],
            check=True, capture_output=True, text=True)

    def row(self, name, value, target, better, raw, **values):
        """A line of the table; without a target it is only printed.

        - raw: what the value was made of, in words.
        - values: the same as numbers, for who reads the JSON."""
        met = target is None or (value >= target if better == "higher" else value <= target)
        self.rows.append({"name": name, "value": value, "target": target, "better": better, "met": met, "raw": raw,
                          **({"values": values} if values else {}), **self.told})
        aim = "no target" if target is None else f"target {'>=' if better == 'higher' else '<='} {target}"
        print(f"{'    ' if target is None else 'ok  ' if met else 'MISS'} {name}: {value:.3g} ({aim})\n       {raw}", flush=True)

    # --- the figures ---

    def fsync_floor(self):
        with tempfile.NamedTemporaryFile() as f:
            times = []
            for _ in range(200):
                os.write(f.fileno(), b"x" * 4096)
                start = time.perf_counter()
                os.fdatasync(f.fileno())
                times.append((time.perf_counter() - start) * 1e3)
        print(f"fdatasync of this disk: median {statistics.median(times):.2f} ms, max {max(times):.2f} ms; "
              f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True)

    def discard_rate(self, count):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "home")
            subscriber = popen([f"{self.options.tools}/discard", str(broker.port), "+/temperature", str(count)],
                                          stdout=subprocess.PIPE, text=True)
            subscriber.stdout.readline()
            start = time.monotonic()
            self.load(broker.port, count)
            subscriber.wait()
            seconds = time.monotonic() - start
            broker.stop()
            return count / seconds

    def durable_rate(self, count, thermostat):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "home")
            extra = "" if thermostat else "[thermostat]\nenabled = false\n"
            gateway = Gateway(self.options.programs, directory, broker.port, free_port(), extra).start()
            wait_for(gateway.connected, 15, "the gateway connects")
            start = time.monotonic()
            self.load(broker.port, count)
            wait_for(lambda: gateway.status()["counters"]["recorded"] >= count, 120, "all recorded")
            seconds = time.monotonic() - start
            gateway.stop()
            broker.stop()
            return count / seconds

    def ingest(self):
        count, runs = 200_000, self.options.runs
        discard, off, on = [], [], []
        for _ in range(runs):
            discard.append(self.discard_rate(count))
            off.append(self.durable_rate(count, False))
            on.append(self.durable_rate(count, True))
        base = statistics.median(discard)
        raw = (f"msg/s: discarding {self.list(discard)}; durable, thermostat off {self.list(off)}; on {self.list(on)}")
        self.row("durable ingest / discarding subscriber, thermostat off", statistics.median(off) / base, 0.95, "higher", raw)
        self.row("durable ingest / discarding subscriber, thermostat on", statistics.median(on) / base, None, "higher", raw)

    def backlog(self):
        """Fills a journal with a million rows, then: memory, start to first command, drain."""
        count = self.options.rows
        with tempfile.TemporaryDirectory() as directory:
            home = FleetingBroker(directory, "home")
            cloud_port = free_port()
            gateway = Gateway(self.options.programs, directory, home.port, cloud_port, self.heating).start()
            wait_for(gateway.connected, 15, "the gateway connects")
            # Warm: the same work as later, checkpoints included.
            self.cost(gateway, home, 20_000)
            self.cost(gateway, home, 100_000)
            empty = gateway.memory()
            self.load(home.port, count)
            wait_for(lambda: gateway.status()["uplink"]["backlog"] >= count, 600, "the journal is full")
            full = gateway.memory()
            empty_starts, full_starts = self.starts(gateway, home)
            self.row(f"anonymous memory with {count} rows, MB", full["RssAnon"] / 1024, 16, "lower", f"KiB: empty {empty}, full {full}")
            self.row(f"anonymous memory with {count} rows / empty", full["RssAnon"] / empty["RssAnon"], 1.05, "lower", f"KiB: {empty}, {full}")
            self.row(f"start to first command with {count} rows / empty",
                     statistics.median(full_starts) / statistics.median(empty_starts), 1.05, "lower",
                     f"ms: empty {self.list(empty_starts)}; full {self.list(full_starts)}")
            self.drain(gateway, directory, cloud_port, self.costs(gateway, home))
            gateway.stop()
            home.stop()

    def costs(self, full, full_home):
        """The recording lane's processor time of a row that is added to a full journal, and in turn to one that begins with 10 000.
        Returns that of a row that leaves the small one, in µs, and how many left."""
        count, times = 30_000, {"full": [], "small": []}
        with tempfile.TemporaryDirectory() as directory:
            home, cloud_port = FleetingBroker(directory, "home"), free_port()
            small = Gateway(self.options.programs, directory, home.port, cloud_port, self.heating).start()
            wait_for(small.connected, 15, "the gateway connects")
            self.cost(small, home, 10_000)
            self.cost(full, full_home, 10_000)
            pairs = [("small", small, home), ("full", full, full_home)]
            for run in range(4 * self.options.runs):
                for name, gateway, broker in pairs[::1 if run % 2 else -1]:
                    times[name].append(self.cost(gateway, broker, count))
            leaving = self.drained(small, directory, cloud_port)[1:3]
            small.stop()
            home.stop()
        self.row("processor time of a row added to a full journal / to a small one",
                 statistics.median(times["full"]) / statistics.median(times["small"]), 1.05, "lower",
                 "µs: " + "; ".join(f"{name} [{', '.join(f'{v:.2f}' for v in values)}]" for name, values in times.items()))
        return leaving

    def cost(self, gateway, home, count):
        recorded, before = gateway.status()["counters"]["recorded"], gateway.cpu("record")
        self.load(home.port, count)
        wait_for(lambda: gateway.status()["counters"]["recorded"] >= recorded + count, 60, "recorded")
        return (gateway.cpu("record") - before) * 1e6 / count

    def drain(self, gateway, directory, cloud_port, small):
        """The cloud appears: how fast the backlog leaves in frames, beside what the broker passes on message by message."""
        raw = [self.discard_rate(200_000)]
        rate, cost, rows, last = self.drained(gateway, directory, cloud_port)
        raw.append(self.discard_rate(200_000))
        self.row(f"drain of {rows} rows in frames, readings/s / broker's msg/s", rate / statistics.median(raw), 20, "higher",
                 f"readings/s {rate:.0f}; raw publish to subscribe, msg/s {self.list(raw)}; {last}")
        self.row(f"processor time of a row that leaves, of {rows} / of {small[1]}", cost / small[0], 1.05, "lower",
                 f"µs: {cost:.3f}, {small[0]:.3f}")

    def drained(self, gateway, directory, cloud_port):
        """Readings per second, µs of processor for each, how many, and what the peer says. The peer confirms at once and
        keeps nothing, so that it is the gateway and the broker that are measured."""
        cloud = FleetingBroker(directory, "cloud", port=cloud_port)
        peer = popen([f"{self.options.programs}/hearth-sim", "confirm", "--home", "home1", "--port", str(cloud.port)],
                     stdout=subprocess.PIPE, text=True)
        began = low = spent = None
        while True:
            status = gateway.status()
            confirmed = status["uplink"]["confirmedThrough"]
            if began is None:
                low = confirmed if low is None else low
                if confirmed > low:
                    began, low, spent = time.monotonic(), confirmed, gateway.cpu()
            if status["uplink"]["backlog"] == 0:
                break
            time.sleep(0.02)
        seconds, spent, rows = time.monotonic() - began, gateway.cpu() - spent, confirmed - low
        peer.terminate()
        last = peer.communicate()[0].strip().splitlines()[-1]
        cloud.stop()
        return rows / seconds, spent * 1e6 / rows, rows, last

    def starts(self, full, full_home):
        """Milliseconds from the start of the process to its first command, seen by a subscriber: with a backlog and,
        in turn, a second gateway without one.

        Readings arrive every 2 ms meanwhile: a restored decision is not repeated before a reading supports it."""
        with tempfile.TemporaryDirectory() as directory:
            home = FleetingBroker(directory, "home")
            empty = Gateway(self.options.programs, directory, home.port, free_port(), self.heating).start()
            wait_for(empty.connected, 15, "the gateway connects")
            times = {"empty": [], "full": []}
            for _ in range(3 * self.options.runs):
                times["empty"].append(self.start_once(empty, home))
                times["full"].append(self.start_once(full, full_home))
            empty.stop()
            home.stop()
            return times["empty"], times["full"]

    def start_once(self, gateway, home):
        gateway.kill()
        # Its debug lines are buffered in a pipe otherwise, and they say when the subscription stands.
        watcher = popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(home.port), "-t", "+/heatpump", "-C", "1", "-d"],
                        stdout=subprocess.PIPE, text=True)
        while "Subscribed (mid" not in watcher.stdout.readline():
            pass
        feeder = popen([f"{self.options.programs}/hearth-sim", "load", "--port", str(home.port), "--rate", "500",
                        "--count", "1000000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        start = time.monotonic()
        gateway.start()
        watcher.communicate(timeout=20)
        milliseconds = (time.monotonic() - start) * 1e3
        feeder.kill()
        feeder.wait()
        wait_for(gateway.connected, 20, "connected again")
        return milliseconds

    def latency(self):
        """Reading to command, over an echo client's round trip."""
        count = 2000
        echo, ours = [], []
        with tempfile.TemporaryDirectory() as directory:
            for _ in range(self.options.runs):
                broker = FleetingBroker(directory, "home")
                client = popen([f"{self.options.tools}/echo", str(broker.port)], stdout=subprocess.PIPE, text=True)
                client.stdout.readline()
                echo.append(self.probe(broker.port, count))
                client.kill()
                client.wait()
                broker.stop()
                broker = FleetingBroker(directory, "home")
                gateway = Gateway(self.options.programs, directory, broker.port, free_port()).start()
                wait_for(gateway.connected, 15, "the gateway connects")
                ours.append(self.probe(broker.port, count))
                gateway.stop()
                broker.stop()
        for share, name, target in [(0.5, "p50", 60), (0.99, "p99", 300)]:
            a, b = ([self.percentile(run, share) for run in runs] for runs in (echo, ours))
            self.row(f"reading to command, added {name}, µs", statistics.median(b) - statistics.median(a), target, "lower",
                     f"µs: echo {self.list(a)}, hearthd {self.list(b)}", echo=a, hearthd=b)

    def probe(self, port, count, pause=0):
        out = subprocess.run([f"{self.options.tools}/probe", str(port), str(count), str(pause)], check=True, capture_output=True,
                             text=True, timeout=120).stdout
        return [float(line) for line in out.split()]

    @staticmethod
    def percentile(values, share):
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    @staticmethod
    def list(values):
        return "[" + ", ".join(f"{v:.0f}" for v in values) + "]"


def machine():
    """Processor, cores, kernel and system, in a few words."""
    with open("/proc/cpuinfo") as f:
        processor = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), os.uname().machine)
    with open("/etc/os-release") as f:
        system = next((line.split("=", 1)[1].strip().strip('"') for line in f if line.startswith("PRETTY_NAME=")), "")
    return f"{os.cpu_count()} cores of {processor}, Linux {'.'.join(os.uname().release.split('.')[:2])}, {system}"


def main():
    return run("scripts/bench", Bench, ["ingest", "backlog", "latency"], rows=1_000_000)


def run(program, kind, parts, runs=5, **more):
    """Reads the command line, runs all parts of the table or one, writes the rows where asked, and says what was missed,
    which is no failure: the table is the result. `more`: further options and what they are by default."""
    parser = argparse.ArgumentParser(prog=program, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--runs", type=int, default=runs)
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--json")
    parser.add_argument("--only", choices=parts)
    options = parser.parse_args()
    bench = kind(options)
    bench.fsync_floor()
    for name in [options.only] if options.only else parts:
        bench.told = {"command": f"{program} --only {name}", "machine": machine(), "day": time.strftime("%Y-%m-%d"),
                      "load": round(os.getloadavg()[0], 1)}
        getattr(bench, name)()
    if options.json:
        with open(options.json, "w") as f:
            json.dump(bench.rows, f, indent=2)
    missed = [row["name"] for row in bench.rows if not row["met"]]
    aimed = sum(row["target"] is not None for row in bench.rows)
    print(f"\n{aimed - len(missed)} of {aimed} targets met" + (f"; missed: {missed}" if missed else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
