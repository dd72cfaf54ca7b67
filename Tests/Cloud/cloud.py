"""hearth-cloud, started as an operator would, at a broker of its own, and fed with readings that are known."""

import json
import os
import subprocess
import time
import urllib.request

from House.brokers import FleetingBroker
from House.checks import check
from House.cloud import settings
from House.processes import Process, comes, free_port

PROGRAM = os.path.join(os.environ.get("HEARTH_BIN_DIR", ""), "hearth-cloud")
NOW = int(time.time()) - 600
COUNT = 200


class Cloud:
    """A broker and `serve` with the given settings, fed with readings of one room."""

    def __init__(self, directory, **more):
        self.directory, self.http = directory, free_port()
        self.broker = FleetingBroker(directory, "broker")
        self.environment = settings(directory, self.broker.port, 0, HTTP_PORT=str(self.http), LOG_LEVEL="warning", SETUP_WAIT="0", **more)
        self.serve = None

    def setup(self):
        return subprocess.run([PROGRAM, "setup"], env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60)

    def start(self):
        self.serve = Process([PROGRAM, "serve"], self.directory / "serve.log", self.environment)
        check("serve is ready", comes(self.is_ready, 60), self.serve.output()[-1000:])

    def is_ready(self):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5).status == 200

    def feed(self):
        """Readings with times, a few of them sensor faults."""
        lines = [json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW + n)),
                             "value": 100 if n % 10 == 0 else 20 + n / 1000}) for n in range(COUNT)]
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.broker.port), "-V", "5", "-q", "1", "-t",
                        "home1/office/temperature", "-l"], input="\n".join(lines), text=True, check=True, timeout=60)

    def stop(self):
        if self.serve:
            self.serve.terminate()
        self.broker.stop()
