"""A gateway between its home broker and the cloud's, with a proxy on each side, and readings that somebody feeds it."""

import json
import os
import re
import signal
import subprocess
import time

from House.brokers import Broker
from House.checks import Failure
from House.gateway import Gateway
from House.processes import CRASHES, Process
from House.proxy import Proxy


class Home(Gateway):
    def __init__(self, rig, name, more="", journal=None, durable_broker=False, cloud_port=None, confirm="ingestor",
                 max_size="512MiB", cloud_host="127.0.0.1", opaque_link=False, zone="UTC", environment=None):
        self.rig = rig
        directory = os.path.join(rig.directory, name)
        os.makedirs(directory)
        self.broker = Broker(directory, "broker", durable_broker)
        self.wire = Proxy(self.broker.port)
        self.link = Proxy(cloud_port or rig.broker.port, host=cloud_host if ":" in cloud_host else "127.0.0.1")
        self.link.opaque = opaque_link
        super().__init__(rig.programs, directory, self.wire.port, self.link.port, more, name, journal, max_size, confirm, cloud_host, zone)
        self.environment = environment or {}
        self.feeder, self.feeds = None, 0
        # Crashes of the recording side that the scenario made itself.
        self.made_crashes = 0

    def expect_no_crash(self):
        """The recording side may be killed, and must not end itself by a trap; its parent starts it again and says so."""
        # The parent may have been killed before it could say so; Swift's own words are there all the same.
        words = re.search(r"Fatal error: .*", self.process.output())
        if words:
            raise Failure(f"{self.name}: {words[0]}")
        ended = re.findall(r"was ended by signal (\d+)", self.process.output())
        crashes = [number for number in ended if int(number) in CRASHES]
        if len(crashes) > self.made_crashes:
            raise Failure(f"{self.name}: the recording side was ended by {signal.Signals(int(crashes[0])).name}: a crash of its own")

    def offline(self):
        """The cloud is gone: its connections are reset, and new ones refused."""
        self.link.mode = "refuse"
        self.link.cut()

    def audit(self):
        """What `hearth audit` says."""
        result = subprocess.run([self.program("hearth"), "audit", "--since", "1h", "--json", "--socket", self.socket],
                                capture_output=True, text=True, timeout=30)
        if not result.stdout:
            raise Failure(f"hearth audit: {result.stderr}")
        return json.loads(result.stdout)

    def backlog(self):
        """Records that the ingestor has not confirmed; None while the gateway does not know."""
        status = self.status()
        if not status or not status["journal"] or status["links"][1]["state"] != "connected" and not status["uplink"]["backlog"]:
            return None
        return max(status["uplink"]["backlog"], status["journal"]["newest"] - status["uplink"]["confirmedThrough"])

    def feed(self, rate=50, rooms=3, seed=1, count=0, step=24_000_000, payload="sensor", reliable=True, port=None):
        """Readings, whose clocks run 24 s per reading: sensors at sixty times real time, as the real ones.

        Each feeder begins a year after the last: a clock that jumped back would begin its windows anew."""
        start = int(time.time() + self.feeds * 31_536_000) * 1_000_000
        self.feeds += 1
        arguments = [self.program("hearth-sim"), "load", "--port", str(port or self.broker.port), "--rooms", str(rooms),
                     "--rate", str(rate), "--payload", payload, "--step", str(step), "--start", str(start), "--seed", str(seed),
                     "--json"]
        if count:
            arguments += ["--count", str(count)]
        if reliable:
            arguments.append("--reliable")
        self.feeder = Process(arguments, self.directory + "/feeder.log")
        return self.feeder

    def stop_feeding(self):
        self.feeder.terminate()

    def acknowledged(self):
        return self.wire.count("acknowledged")

    def close(self):
        for process in (self.feeder, self.process, self.broker):
            if process:
                process.end()
        self.wire.close()
        self.link.close()
