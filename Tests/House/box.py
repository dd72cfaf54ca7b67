"""A home box and its cloud as processes, each by its name: brokers, hearthd, hearth-web, simulated rooms, hearth-cloud; and what a
person or a heat pump sees of them."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from House.brokers import Broker
from House.cloud import settings
from House.databases import Database
from House.gateway import Gateway
from House.processes import Process, free_port, listening, wait_for


def wait(seconds, condition, what):
    """Until a condition holds, looked at as a person would: what it answered, and how long it took."""
    began = time.monotonic()
    return wait_for(condition, seconds, what, every=0.05), time.monotonic() - began


class Box:
    def __init__(self, programs):
        self.programs = programs
        self.directory = tempfile.mkdtemp(prefix="hearth-box-")
        self.processes = {}
        self.database = None
        self.home, self.cloud, self.web, self.cloud_http = (free_port() for _ in range(4))
        self.gateway = Gateway(programs, self.directory, self.home, self.cloud, "[thermostat]\nstale_after = \"30m\"\n", max_size="512MiB")
        self.socket = self.gateway.socket
        self.url = f"http://127.0.0.1:{self.web}"

    def file(self, name):
        return os.path.join(self.directory, name)

    def log(self, name):
        """What a program has said, also one that has ended."""
        with open(self.file(name + ".log"), errors="replace") as file:
            return file.read()

    # --- Processes ---

    def start(self, name, *command, environment=None):
        self.processes[name] = Process(command, self.file(name + ".log"), environment)

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process:
            process.stop()

    def kill(self, name):
        self.processes.pop(name).kill()

    def close(self):
        for name in list(reversed(list(self.processes))):
            self.stop(name)
        if self.database:
            self.database.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name):
        return os.path.join(self.programs, name)

    def start_broker(self, name, port):
        self.processes[name] = Broker(self.directory, name, more="autosave_interval 1", port=port).process

    def start_hearthd(self):
        self.processes["hearthd"] = self.gateway.start().process

    def start_all(self, speed=60):
        self.start_broker("home-broker", self.home)
        self.start_broker("cloud-broker", self.cloud)
        self.start_hearthd()
        # All of the cloud: without points there is no audit that finds no gap.
        self.database = Database(self.directory)
        self.start("cloud", self.program("hearth-cloud"), "serve", environment=settings(
            self.directory, self.cloud, self.database.port, HTTP_PORT=str(self.cloud_http)))
        self.start_web()
        wait_for(lambda: os.path.exists(self.socket), 15, "hearthd opens its control socket")
        self.start("rooms", self.program("hearth-sim"), "home", "--port", self.home, "--speed", speed,
                   "--rooms", "office,kitchen,bedroom,living-room,bathroom,nursery")

    def start_web(self, *options):
        self.start("hearth-web", self.program("hearth-web"), "--listen", f"127.0.0.1:{self.web}", "--socket", self.socket,
                   *options)
        wait_for(lambda: listening(self.web), 10, "hearth-web listens")

    # --- Talking to them ---

    def reading(self, room, value):
        self.publish(f"{room}/temperature", json.dumps({"timestamp": "2026-11-23T10:00:00", "value": value}))

    def publish(self, topic, payload):
        subprocess.run(["mosquitto_pub", "-p", str(self.home), "-q", "1", "-t", topic, "-m", payload], check=True)

    def hearth(self, *arguments):
        result = subprocess.run([self.program("hearth"), *arguments, "--socket", self.socket], capture_output=True,
                                text=True, stdin=subprocess.DEVNULL)
        return result.returncode, result.stdout + result.stderr

    def get(self, path, method="GET", headers=None, body=None, port=None):
        """Status, headers and text of an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.web}{path}", data=body, method=method,
                                         headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, dict(response.headers), response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def raw(self, request, timeout=15):
        """The answer to bytes that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.web), timeout=timeout) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer.decode(errors="replace")


class PumpLog:
    """What arrives at a room's heat pump, and when."""

    def __init__(self, rig, room):
        self.rig, self.name = rig, f"pump-{room}"
        rig.start(self.name, "stdbuf", "-oL", "mosquitto_sub", "-p", str(rig.home), "-t", f"{room}/heatpump", "-d", "-F", "%U %p")
        wait_for(lambda: "Subscribed (mid" in rig.log(self.name), 10, "mosquitto_sub has subscribed")

    def commands(self):
        return [payload for _, payload in self.timed()]

    def timed(self):
        """(seconds since 1970, payload) of each command."""
        lines = [line.split(" ", 1) for line in self.rig.log(self.name).split("\n") if '{"status"' in line]
        return [(float(at), payload) for at, payload in lines if at[:1].isdigit()]

    def after(self, moment, status):
        """When the first command "0" or "1" after a moment arrived; None when none has."""
        return next((at for at, payload in self.timed() if at >= moment and f'"{status}"' in payload), None)
