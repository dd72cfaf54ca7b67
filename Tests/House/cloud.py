"""`hearth-cloud`: what its environment says, and one process of it with what it counts."""

import os
import time
import urllib.request

from House.processes import free_port, popen, processor_seconds, wait_for


def settings(directory, broker, influx, **more):
    """What a service is told, on the journal engine unless `more` says otherwise.

    - broker, influx: the ports of its two peers."""
    return {"MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(broker), "EVENT_LOG": "journal", "JOURNAL_PATH": f"{directory}/events.sqlite",
            "INFLUX_API": "v1", "INFLUX_URL": f"http://127.0.0.1:{influx}", "HTTP_PORT": "0", **more}


class Cloud:
    """A service that has connected, where it has a broker."""

    def __init__(self, programs, directory, service, broker, influx, **more):
        self.http = free_port()
        told = settings(directory, broker, influx, HTTP_PORT=str(self.http), LOG_LEVEL="error")
        self.process = popen([f"{programs}/hearth-cloud", *service.split()], env={**os.environ, **told, **more})
        if service in ("serve", "ingest"):
            wait_for(lambda: self.metrics().get("hearth_ingest_connected") == 1, 30, f"{service} is connected")
        time.sleep(0.5)  # Until its subscription stands; readings come after it, and a drain goes on meanwhile.

    def metrics(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        return {key: float(value) for key, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

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
