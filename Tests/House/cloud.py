"""What a cloud is made of for the benchmarks and tests: a fresh InfluxDB, and a `hearth-cloud` process."""

import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from House.gateway import free_port, listening, popen, processor_seconds, wait_for


class Database:
    """A fresh InfluxDB 1.x."""

    def __init__(self, directory):
        self.port = free_port()
        path = os.path.join(directory, "influxdb")
        os.makedirs(path)
        with open(f"{path}/influxdb.conf", "w") as f:
            f.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{path}/meta"\n'
                    f'[data]\ndir = "{path}/data"\nwal-dir = "{path}/wal"\nquery-log-enabled = false\n[monitor]\n'
                    f'store-enabled = false\n[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
                    '[logging]\nlevel = "error"\n')
        self.process = popen([shutil.which("influxd") or "/usr/bin/influxd", "-config", f"{path}/influxdb.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listening(self.port), 30, "influxd listens")
        for name in ("raw", "clean", "aggregate"):
            self.query(f"CREATE DATABASE {name}")

    def query(self, statement, database=""):
        body = urllib.parse.urlencode({"q": statement, "db": database}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/query", body, timeout=60) as answer:
            return json.load(answer)["results"][0]

    def count(self, database, measurement):
        result = self.query(f"SELECT count(value) FROM {measurement}", database)
        return result["series"][0]["values"][0][1] if "series" in result else 0

    def stop(self):
        self.process.kill()
        self.process.wait()


class Cloud:
    """One `hearth-cloud` process, on the journal engine unless another is named."""

    def __init__(self, programs, directory, service, broker_port, influx_port, level="error", engine="journal"):
        self.http = free_port()
        environment = dict(os.environ, MQTT_PORT=str(broker_port), EVENT_LOG=engine, HTTP_PORT=str(self.http),
                           JOURNAL_PATH=f"{directory}/events.sqlite", INFLUX_API="v1",
                           INFLUX_URL=f"http://127.0.0.1:{influx_port}", LOG_LEVEL=level)
        self.process = popen([f"{programs}/hearth-cloud", service], env=environment)
        if service in ("serve", "ingest"):
            wait_for(lambda: self.metrics().get("hearth_ingest_connected") == 1, 30, f"{service} is connected")
        time.sleep(0.5)  # Until its subscription stands; readings come after it, and a drain goes on meanwhile.

    def metrics(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        return {key: float(value) for key, value in (l.rsplit(" ", 1) for l in lines if not l.startswith("#"))}

    def ingested(self):
        return self.metrics().get("hearth_ingest_readings_total", 0)

    def stored(self):
        return sum(v for k, v in self.metrics().items() if k.startswith("hearth_pipeline_points_written_total"))

    def drained(self, count):
        """Whether P1 and P2 are through with so many readings. Asks the service: the database has enough to do."""
        time.sleep(0.05)
        return self.saved() >= count and self.passed(count)

    def saved(self):
        return self.metrics().get('hearth_pipeline_points_written_total{pipeline="p1-raw-saver"}', 0)

    def passed(self, count):
        metrics = self.metrics()
        outliers = metrics.get('hearth_pipeline_dropped_total{pipeline="p2-cleaner",reason="outlier"}', 0)
        return metrics.get('hearth_pipeline_points_written_total{pipeline="p2-cleaner"}', 0) + outliers >= count

    def is_quiet(self):
        """Whether it has nothing to do."""
        before = processor_seconds(self.process)
        time.sleep(1)
        return processor_seconds(self.process) - before < 0.1

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()
