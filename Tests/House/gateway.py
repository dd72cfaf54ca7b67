"""A hearthd in a directory of its own, what it says on its control socket, and what the kernel counts of it."""

import json
import os
import socket

from House.processes import Process, wait_for


def status(path):
    """What the gateway says whose control socket this is; None while it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(path)
            s.sendall(b'{"method":"io.hearth.Gateway.Status"}\0')
            reply = b""
            while not reply.endswith(b"\0"):
                part = s.recv(1 << 16)
                if not part:
                    return None
                reply += part
        return json.loads(reply[:-1])["parameters"]
    except (OSError, ValueError):
        return None


class Gateway:
    """- home, cloud: the ports of its two brokers.
    - more: further lines of its configuration, after its last section."""

    def __init__(self, programs, directory, home, cloud, more="", name="home1", journal=None, max_size="4GiB", confirm="ingestor",
                 cloud_host="127.0.0.1", zone="UTC"):
        self.programs, self.directory, self.name = programs, directory, name
        self.journal = journal or os.path.join(directory, "journal.sqlite")
        self.socket = os.path.join(directory, "control.sock")
        self.configuration = os.path.join(directory, "hearthd.toml")
        with open(self.configuration, "w") as f:
            f.write(f'home = "{name}"\nsensor_time_zone = "{zone}"\n[local]\nport = {home}\n[cloud]\nhost = "{cloud_host}"\nport = {cloud}\n'
                    f'[uplink]\nconfirm = "{confirm}"\n[journal]\npath = "{self.journal}"\nmax_size = "{max_size}"\n'
                    f'[control]\nsocket = "{self.socket}"\n{more}\n')
        self.process, self.environment = None, {}

    def program(self, name):
        return os.path.join(self.programs, name)

    def start(self, environment=None):
        self.process = Process([self.program("hearthd"), "--config", self.configuration], self.directory + "/hearthd.log",
                               {**self.environment, **(environment or {})})
        return self

    def kill(self):
        self.process.kill()

    def stop(self):
        self.process.terminate(60)

    def restart(self, environment=None):
        self.kill()
        self.start(environment)

    # --- What it says ---

    def status(self):
        return status(self.socket)

    def connected(self):
        status = self.status()
        return bool(status) and [link["state"] for link in status["links"][:2]] == ["connected"] * 2

    def records(self):
        """Whether the home broker has taken its subscriptions, so that what is published from now on is its own, and is kept."""
        return "recording" in self.process.output()

    def recording(self, seconds=15):
        wait_for(self.records, seconds, f"{self.name} records")

    # --- What the kernel says ---

    def pids(self):
        """The heating and, while it runs, the recording side."""
        recording = (self.status() or {}).get("recording", {}).get("pid")
        return [self.process.pid] + ([recording] if recording else [])

    def memory(self):
        """Of both processes together in KiB: resident memory, and what of it is anonymous."""
        values = {}
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as f:
                for line in f:
                    if line.startswith(("VmRSS", "RssAnon")):
                        name = line.split(":")[0]
                        values[name] = values.get(name, 0) + int(line.split()[1])
        return values

    def cpu(self, thread=None):
        """Seconds on a processor, of the threads that are there or of the one with this name; /proc/PID/stat counts in
        hundredths."""
        seconds = 0
        tasks = [f"/proc/{pid}/task/{task}" for pid in self.pids() for task in os.listdir(f"/proc/{pid}/task")]
        for task in tasks:
            with open(f"{task}/comm") as name:
                if thread not in (None, name.read().strip()):
                    continue
            with open(f"{task}/schedstat") as f:
                seconds += int(f.read().split()[0]) / 1e9
        return seconds
