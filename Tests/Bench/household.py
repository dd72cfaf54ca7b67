"""A home at rest: five rooms with a reading a second each, the daemon with the cloud behind it, and what the kernel counts
of it meanwhile."""

import http.client
import os
import re
import tempfile
import threading
import time
import urllib.parse

from chain import Broker, Gateway, popen, wait_for
from cloud_bench import Cloud, Database

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


class Points:
    """Watches a database for new points of one measurement, and notes when each was first seen."""

    def __init__(self, database, measurement="raw_temperature", bucket="raw", every=0.004):
        self.seen, self.database, self.every = {}, database, every
        self.query = f"SELECT value FROM {measurement} ORDER BY time DESC LIMIT 40"
        self.bucket, self.stopping = bucket, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.database.port, timeout=30)
        path = "/query?" + urllib.parse.urlencode({"q": self.query, "db": self.bucket, "epoch": "ns"})
        value = re.compile(rb"20\.\d{9}")
        while not self.stopping.is_set():
            connection.request("GET", path)
            body = connection.getresponse().read()
            now = time.monotonic()
            for text in value.findall(body):
                self.seen.setdefault(text, now)
            time.sleep(self.every)

    def stop(self):
        self.stopping.set()
        self.thread.join()


class Home:
    """Broker, daemon, cloud broker, `hearth-cloud serve` and a real InfluxDB."""

    def __init__(self, programs, directory, extra="", environment=None):
        self.programs = programs
        self.broker, self.cloud_broker, self.database = Broker(directory, "home"), Broker(directory, "cloud"), Database(directory)
        self.cloud = Cloud(programs, directory, "serve", self.cloud_broker.port, self.database.port)
        self.gateway = Gateway(programs, directory, self.broker.port, self.cloud_broker.port, extra)
        wait_for(self.gateway.connected, 20, "the gateway connects")
        self.sensors = popen([f"{programs}/hearth-sim", "load", "--port", str(self.broker.port), "--rooms", str(ROOMS),
                              "--rate", str(ROOMS), "--json"], stdout=-3, stderr=-3)

    def rest(self, warm=8, seconds=20):
        """What the kernel counts while nothing but readings happens."""
        pids = self.gateway.pids()
        time.sleep(warm)
        commits, before = self.gateway.status()["journal"]["commits"], Kernel(pids)
        time.sleep(seconds)
        after = Kernel(pids)
        result = after.since(before)
        result["commits_per_second"] = (self.gateway.status()["journal"]["commits"] - commits) / seconds
        result["private_kibibytes"] = private_kibibytes(pids)
        return result

    def stop(self):
        self.sensors.kill()
        self.sensors.wait()
        self.gateway.stop()
        self.cloud.stop()
        for process in (self.broker, self.cloud_broker, self.database):
            process.stop()


if __name__ == "__main__":
    import json
    import sys
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as directory:
        home = Home(sys.argv[1], directory, sys.argv[3] if len(sys.argv) > 3 else "")
        print(json.dumps(home.rest(), indent=1))
        home.stop()
