"""Measures the cloud side against baselines in the same run: ingest, the way into InfluxDB, memory, the whole chain.
Called by scripts/bench."""

import gzip
import http.client
import json
import os
import queue
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from bench import Bench, run
from House.brokers import FleetingBroker
from House.cloud import Cloud
from House.databases import Database
from House.kafka import MockCluster
from House.processes import free_port, processor_seconds, wait_for
from service_sizes import ServiceSizes


class CloudBench(ServiceSizes, Bench):
    homes = ("--homes", "20", "--rooms", "5", "--connections", "4", "--payload", "sensor")

    def discard(self, count):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "cloud")
            subscriber = subprocess.Popen(
                [f"{self.options.tools}/discard", str(broker.port), "+/+/temperature", str(count)],
                stdout=subprocess.PIPE, text=True)
            subscriber.stdout.readline()
            start = time.monotonic()
            self.load(broker.port, count, *self.homes)
            subscriber.wait()
            seconds = time.monotonic() - start
            broker.stop()
            return count / seconds

    def ingest_rate(self, count, **more):
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "cloud")
            cloud = Cloud(self.options.programs, directory, "ingest", broker.port, free_port(), **more)
            start = time.monotonic()
            self.load(broker.port, count, *self.homes)
            wait_for(lambda: cloud.ingested() >= count, 120, "all in the log")
            seconds = time.monotonic() - start
            cloud.stop()
            broker.stop()
            return count / seconds

    def ingest(self):
        """Acknowledged after the log has it, over a subscriber that throws everything away."""
        discard, durable = [], []
        for _ in range(self.options.runs):
            discard.append(self.discard(200_000))
            durable.append(self.ingest_rate(200_000))
        self.row("cloud: MQTT to log / discarding subscriber", statistics.median(durable) / statistics.median(discard), 0.7,
                 "higher", f"msg/s: discarding {self.list(discard)}; acknowledged after the log {self.list(durable)}")

    def kafka(self):
        """The same on Kafka's protocol, over the embedded engine, by turns: librdkafka's mock, and the cluster of KAFKA_HOST."""
        clusters = {"mock": None, **({"KAFKA_HOST": os.environ["KAFKA_HOST"]} if "KAFKA_HOST" in os.environ else {})}
        rates = {name: [] for name in ("embedded", *clusters)}
        for _ in range(self.options.runs):
            rates["embedded"].append(self.ingest_rate(200_000))
            for name, servers in clusters.items():
                mock = None if servers else MockCluster(f"{self.options.programs}/mock-kafka")
                rates[name].append(self.ingest_rate(200_000, EVENT_LOG="kafka", KAFKA_HOST=servers or mock.servers))
                if mock:
                    mock.close()
        for name in clusters:
            self.row(f"cloud: MQTT to log, Kafka ({name}) / embedded", statistics.median(rates[name]) / statistics.median(
                rates["embedded"]), 0.9, "higher", f"msg/s: embedded {self.list(rates['embedded'])}; {name} {self.list(rates[name])}")

    def filled_log(self, directory, count):
        broker = FleetingBroker(directory, "cloud")
        cloud = Cloud(self.options.programs, directory, "ingest", broker.port, free_port())
        self.load(broker.port, count, *self.homes)
        wait_for(lambda: cloud.ingested() >= count, 120, "all in the log")
        cloud.stop()
        broker.stop()

    def drain(self):
        """Log to InfluxDB over curl with the same points: P1, whose work is just that, and all pipelines at once, which
        also append to the log and read that again, on the same processors."""
        # Long enough that the services' start, and the end when one pipeline is done before the others, weigh little.
        count, alone, together, raw, both, spent = 1_500_000, [], [], [], [], []
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                self.filled_log(directory, count)
                copy = shutil.copytree(directory, f"{directory}/copy")
                alone.append(self.drain_raw(copy, count))
                shutil.rmtree(copy)
                rate, processors, bodies = self.drain_all(directory, count)
                together.append(rate)
                spent.append(processors)
                for found, some in ((raw, [b for b in bodies if b[0] == "raw"]), (both, bodies)):
                    found.append(max(self.curl(directory, some, workers) for workers in (1, 2)))
        self.row("cloud: log to InfluxDB, P1 / direct curl of the same points", statistics.median(alone) / statistics.median(raw),
                 0.8, "higher", f"points/s: P1 {self.list(alone)}; curl {self.list(raw)}; {os.cpu_count()} cores")
        self.row("cloud: log to InfluxDB, all pipelines at once / direct curl", statistics.median(together) / statistics.median(both),
                 0.8, "higher", f"points/s: P1, P2, P4 {self.list(together)}; curl {self.list(both)}; µs of processor per point: "
                 f"hearth-cloud {statistics.median(s[0] for s in spent):.2f}, influxd {statistics.median(s[1] for s in spent):.2f}; "
                 f"{os.cpu_count()} cores")

    def drain_all(self, directory, count):
        """Points per second, the processor's µs per point of both programs, and the points as bodies for curl. With a
        fresh broker: Mosquitto 2.0 sends again what a client acknowledged last before another took its session over."""
        broker, database = FleetingBroker(directory, "idle"), Database(directory)
        os.sync()  # What filling the log has left to be written is not of this.
        start = time.monotonic()
        cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port)
        wait_for(lambda: cloud.drained(count), 600, "all in the database")
        seconds = time.monotonic() - start
        points = cloud.stored()
        processors = [processor_seconds(p) * 1e6 / points for p in (cloud.process, database.process)]
        cloud.stop()
        broker.stop()
        bodies = self.bodies(directory, database)
        database.stop()
        shutil.rmtree(database.directory)
        return points / seconds, processors, bodies

    def drain_raw(self, directory, count):
        """Points per second of P1 when the raw database comes after the others are through: from its first points on."""
        broker, database = FleetingBroker(directory, "idle"), Database(directory)
        database.query("DROP DATABASE raw")
        cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port, LOG_LEVEL="critical")
        wait_for(lambda: cloud.passed(count) and cloud.is_quiet(), 600, "P2 and P4 are through")
        database.query("CREATE DATABASE raw")
        os.sync()
        wait_for(lambda: cloud.saved() > 0, 60, "P1 writes")
        start, first = time.monotonic(), cloud.saved()
        wait_for(lambda: time.sleep(0.05) or cloud.saved() >= count, 600, "all in the database")
        rate = (cloud.saved() - first) / (time.monotonic() - start)
        cloud.stop()
        broker.stop()
        database.stop()
        return rate

    @staticmethod
    def bodies(directory, database):
        """The readings in both databases as files of 5000 gzipped lines."""
        files = []
        for name, measurement in (("raw", "raw_temperature"), ("clean", "temperature_clean")):
            body = urllib.parse.urlencode({"q": f"SELECT value FROM {measurement} GROUP BY home, room", "db": name,
                                           "epoch": "ns"}).encode()
            with urllib.request.urlopen(f"http://127.0.0.1:{database.port}/query", body, timeout=120) as answer:
                series = json.load(answer)["results"][0]["series"]
            # In the order of time, as they were written.
            rows = sorted((row[0], f"{measurement},home={s['tags']['home']},room={s['tags']['room']} value={float(row[1])!r} {row[0]}")
                          for s in series for row in s["values"])
            lines = [line for _, line in rows]
            for first in range(0, len(lines), 5000):
                path = f"{directory}/{name}{first}.gz"
                with open(path, "wb") as f:
                    f.write(gzip.compress("\n".join(lines[first:first + 5000]).encode(), 1))
                files.append((name, path, len(lines[first:first + 5000])))
        return files

    @staticmethod
    def curl(directory, bodies, workers):
        with tempfile.TemporaryDirectory(dir=directory) as fresh:
            database = Database(fresh)
            processes = []
            for worker in range(workers):
                config = f"{fresh}/curl{worker}"
                with open(config, "w") as f:
                    f.write("\nnext\n".join(
                        f'url = "http://127.0.0.1:{database.port}/write?db={name}"\ndata-binary = "@{path}"\n'
                        f'header = "Content-Encoding: gzip"\nheader = "Expect:"\nsilent\nfail' for name, path, _ in bodies[worker::workers]))
                processes.append(["curl", "--config", config])
            start = time.monotonic()
            for process in [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in processes]:
                if process.wait() != 0:
                    raise RuntimeError("curl failed")
            seconds = time.monotonic() - start
            database.stop()
            return sum(lines for _, _, lines in bodies) / seconds

    def memory(self):
        """A million events wait while the database is away."""
        count = self.options.rows
        with tempfile.TemporaryDirectory() as directory:
            broker = FleetingBroker(directory, "cloud")
            cloud = Cloud(self.options.programs, directory, "serve", broker.port, free_port())
            empty, peak = cloud.rss(), 0
            load = threading.Thread(target=self.load, args=(broker.port, count, *self.homes))
            load.start()
            while load.is_alive() or cloud.ingested() < count:
                peak = max(peak, cloud.rss())
                time.sleep(0.2)
            load.join()
            self.row(f"cloud: RSS while {count} events wait, MB", max(peak, cloud.rss()), 64, "lower",
                     f"MB: empty {empty:.1f}, peak {peak:.1f}, at the end {cloud.rss():.1f}")
            cloud.stop()
            broker.stop()

    def chain(self):
        """Sensor's message to point, over one blocking produce and one blocking write per reading."""
        ours, blocking = [], []
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                broker, database = FleetingBroker(directory, "cloud"), Database(directory)
                cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port)
                ours.append(self.end_to_end(broker, database, 200_000))
                cloud.stop()
                broker.stop()
                database.stop()
            with tempfile.TemporaryDirectory() as directory:
                broker, database = FleetingBroker(directory, "cloud"), Database(directory)
                chain = BlockingChain(directory, broker, database)
                blocking.append(self.end_to_end(broker, database, 2_000))
                chain.stop()
                broker.stop()
                database.stop()
        self.row("cloud: readings/s, MQTT to raw bucket / blocking per reading", statistics.median(ours) / statistics.median(blocking),
                 10, "higher", f"readings/s: serve (all pipelines) {self.list(ours)}; blocking (raw only) {self.list(blocking)}")

    def end_to_end(self, broker, database, count):
        def arrived():
            time.sleep(0.05)
            return database.count("raw", "raw_temperature") >= count

        start = time.monotonic()
        self.load(broker.port, count, *self.homes)
        wait_for(arrived, 300, "all in the raw bucket")
        return count / (time.monotonic() - start)


class BlockingChain:
    """What a first prototype does: each message is produced and waited for, each event written and waited for."""

    def __init__(self, directory, broker, database):
        self.subscriber = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", "-p", str(broker.port), "-V", "5", "-q", "1", "-t", "+/+/temperature", "-F", "%t\t%p"],
            stdout=subprocess.PIPE, text=True)
        events = queue.Queue()
        threading.Thread(target=self.produce, args=(directory, events), daemon=True).start()
        threading.Thread(target=self.write, args=(database.port, events), daemon=True).start()
        time.sleep(1)  # The subscription.

    def produce(self, directory, events):
        log = sqlite3.connect(f"{directory}/log.sqlite", isolation_level=None)
        log.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE log (topic TEXT, payload TEXT);")
        for line in self.subscriber.stdout:
            topic, payload = line.rstrip("\n").split("\t", 1)
            log.execute("INSERT INTO log VALUES (?, ?)", (topic, payload))
            events.put((topic, payload))

    @staticmethod
    def write(port, events):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            topic, payload = events.get()
            home, room, _ = topic.split("/")
            reading = json.loads(payload)
            whole, _, fraction = reading["timestamp"].partition(".")
            seconds = int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")))
            at = seconds * 10 ** 9 + int(fraction.ljust(9, "0") or 0)
            connection.request("POST", "/write?db=raw",
                               f"raw_temperature,home={home},room={room} value={float(reading['value'])!r} {at}")
            connection.getresponse().read()

    def stop(self):
        self.subscriber.kill()
        self.subscriber.wait()


def main():
    return run("scripts/bench --cloud", CloudBench, ["ingest", "kafka", "services", "drain", "memory", "chain"], runs=3, rows=1_000_000)


if __name__ == "__main__":
    sys.exit(main())
