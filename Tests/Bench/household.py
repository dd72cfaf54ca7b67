"""A home at rest: five rooms with a reading a second each, the daemon with the cloud behind it, and what the kernel counts
of it meanwhile."""

import datetime
import http.client
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.parse

from House import mqtt
from House.brokers import FleetingBroker
from House.cloud import Cloud, settings
from House.databases import Database
from House.gateway import Gateway
from House.processes import wait_for

ROOMS = 5


class Kernel:
    """Counts of some processes, thread by thread; proc(5)."""

    def __init__(self, pids):
        self.threads, self.written, self.processor = {}, 0, 0
        for pid in pids:
            with open(f"/proc/{pid}/io") as f:
                self.written += int(re.search(r"^write_bytes: (\d+)", f.read(), re.M)[1])
            for task in os.listdir(f"/proc/{pid}/task"):
                try:
                    with open(f"/proc/{pid}/task/{task}/status") as f:
                        text = f.read()
                    with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                        self.processor += int(f.read().split()[0]) / 1e9
                except OSError:
                    continue  # The thread has ended.
                name = re.search(r"^Name:\s*(.*)", text, re.M)[1]
                key = (name, pid, task)
                self.threads[key] = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)[1])
        self.at = time.monotonic()

    def since(self, before):
        """Processor share, wake-ups a second by thread, bytes a second."""
        seconds = self.at - before.at
        by_name = {}
        for key, count in self.threads.items():
            by_name[key[0]] = by_name.get(key[0], 0) + (count - before.threads.get(key, 0)) / seconds
        return {"processor_percent": 100 * (self.processor - before.processor) / seconds,
                "wakeups": {k: round(v, 2) for k, v in sorted(by_name.items(), key=lambda i: -i[1]) if v > 0.005},
                "wakeups_per_second": sum(by_name.values()), "bytes_per_second": (self.written - before.written) / seconds}


def private_kibibytes(pids):
    """Memory that these processes alone have and have written to."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"^Private_Dirty:\s*(\d+)", f.read(), re.M)[1])
    return total


class Sensors:
    """Five sensors whose readings are numbered, each at a phase of its own; knows when each left."""

    def __init__(self, port, first=0, rate=ROOMS, topic="room{}/temperature"):
        self.left, self.socket, self.rate, self.number, self.topic = {}, socket.create_connection(("127.0.0.1", port)), rate, first, topic
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(mqtt.connect(f"sensors{os.getpid()}-{first}".encode()))
        self.socket.recv(4)
        self.stopping = threading.Event()
        threading.Thread(target=self.swallow, daemon=True).start()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def swallow(self):
        try:
            while self.socket.recv(4096):
                pass
        except OSError:
            pass

    def run(self):
        due = time.monotonic()
        while not self.stopping.wait(max(0, due - time.monotonic())):
            self.number += 1
            value = b"20.%09d" % self.number
            stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
            packet = mqtt.publish(self.topic.format(self.number % ROOMS + 1), b'{"timestamp": "' + stamp + b'", "value": ' + value + b"}", 4, 1,
                                  self.number % 65535 + 1)
            self.left[value.rstrip(b"0")] = time.monotonic()
            self.socket.sendall(packet)
            # Random phases: what arrives together is written together.
            due += random.uniform(0.5, 1.5) / self.rate

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.socket.close()


class Points:
    """Watches a database for new points of one measurement, and notes when each was first seen."""

    def __init__(self, database, bucket="raw", every=0.004):
        self.seen, self.database, self.every, self.bucket = {}, database, every, bucket
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.database.port, timeout=30)
        query = "SELECT value FROM raw_temperature WHERE time > now() - 60s ORDER BY time DESC LIMIT 300"
        path = "/query?" + urllib.parse.urlencode({"q": query, "db": self.bucket, "epoch": "ns"})
        value = re.compile(rb"20\.\d+")
        while not self.stopping.wait(self.every):
            connection.request("GET", path)
            body = connection.getresponse().read()
            now = time.monotonic()
            for text in value.findall(body):
                self.seen.setdefault(text.rstrip(b"0"), now)

    def stop(self):
        self.stopping.set()
        self.thread.join()

    def delays(self, left, patience=10):
        """Milliseconds from each sensor's message to its point."""
        deadline = time.monotonic() + patience
        while not left.keys() <= self.seen.keys() and time.monotonic() < deadline:
            time.sleep(0.05)
        missing = left.keys() - self.seen.keys()
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(left)} readings did not become points")
        return sorted((self.seen[v] - t) * 1e3 for v, t in left.items())


class Home:
    """Broker, daemon, cloud broker, `hearth-cloud` and a real InfluxDB: without House.rig's proxies, which would be measured with it."""

    def __init__(self, programs, directory, extra="", kafka=None, link=None):
        self.programs = programs
        self.broker, self.cloud_broker, self.database = FleetingBroker(directory, "home"), FleetingBroker(directory, "cloud"), Database(directory)
        self.services = self.serve(directory, kafka)
        self.link = link(self.cloud_broker.port) if link else None
        self.gateway = Gateway(programs, directory, self.broker.port, (self.link or self.cloud_broker).port, extra).start()
        wait_for(lambda: self.gateway.connected() and self.gateway.records(), 20, "the gateway records")

    def serve(self, directory, kafka):
        if kafka is None:
            return [Cloud(self.programs, directory, "serve", self.cloud_broker.port, self.database.port)]
        more = {"EVENT_LOG": "kafka", "KAFKA_HOST": kafka.servers}
        if "EVENT_LOG" not in kafka.setup:
            told = settings(directory, self.cloud_broker.port, self.database.port, **kafka.setup, **more)
            subprocess.run([f"{self.programs}/hearth-cloud", "setup"], check=True, capture_output=True, timeout=60,
                           env={**os.environ, **told})
        return [Cloud(self.programs, directory, name, self.cloud_broker.port, self.database.port, **more)
                for name in ("ingest", "save-raw")]

    def latencies(self, seconds):
        """Milliseconds from sensor to point, of readings that come while nothing else happens."""
        points = Points(self.database)
        sensors = Sensors(self.broker.port, first=int(time.monotonic() * 1000) % 500_000_000)
        time.sleep(seconds)
        sensors.stop()
        delays = points.delays(sensors.left, 30)
        points.stop()
        return delays

    def rest(self, warm=8, seconds=20, beside=()):
        """What the kernel counts while nothing but readings happens; in `beside` the same of further processes."""
        sensors = Sensors(self.broker.port)
        groups = [self.gateway.pids(), list(beside)]
        time.sleep(warm)
        commits, before = self.gateway.status()["journal"]["commits"], [Kernel(pids) for pids in groups]
        time.sleep(seconds)
        after = [Kernel(pids) for pids in groups]
        result, others = ({**late.since(early), "private_kibibytes": private_kibibytes(pids)}
                          for early, late, pids in zip(before, after, groups))
        result["commits_per_second"] = (self.gateway.status()["journal"]["commits"] - commits) / seconds
        sensors.stop()
        return {**result, "beside": others}

    def stop(self):
        self.gateway.stop()
        for service in self.services:
            service.stop()
        for process in (self.broker, self.cloud_broker, self.database):
            process.stop()
        if self.link:
            self.link.close()
