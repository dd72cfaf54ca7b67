"""A home and its cloud as processes on free ports of 127.0.0.1: brokers, hearthd, simulated rooms, ingest, hearth-web."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from browser import wait

from House.cloud import Database

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Rig:
    def __init__(self, programs):
        self.programs = programs
        self.directory = tempfile.mkdtemp(prefix="hearth-web-")
        self.processes = {}
        self.database = None
        self.home, self.cloud, self.web, self.cloud_http = (free_port() for _ in range(4))
        self.socket = self.file("hearthd.sock")
        self.url = f"http://127.0.0.1:{self.web}"

    def file(self, name):
        return os.path.join(self.directory, name)

    def log(self, name):
        with open(self.file(name + ".log"), errors="replace") as file:
            return file.read()

    # --- Processes ---

    def start(self, name, *command, environment=None):
        output = open(self.file(name + ".log"), "ab")
        self.processes[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})})
        return self.processes[name]

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(6)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def close(self):
        for name in list(reversed(list(self.processes))):
            self.stop(name)
        if self.database:
            self.database.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def program(self, name):
        return os.path.join(self.programs, name)

    def start_broker(self, name, port):
        os.makedirs(self.file(name), exist_ok=True)
        with open(self.file(name + ".conf"), "w") as file:
            file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nuser root\n"
                       f"persistence_location {self.file(name)}/\nautosave_interval 1\n"
                       "upgrade_outgoing_qos true\nmax_queued_messages 0\nset_tcp_nodelay true\n")
        self.start(name, MOSQUITTO, "-c", self.file(name + ".conf"))
        wait(10, lambda: accepts(port), f"{name} listens")

    def start_all(self, speed=60):
        self.start_broker("home-broker", self.home)
        self.start_broker("cloud-broker", self.cloud)
        with open(self.file("hearthd.toml"), "w") as file:
            file.write(f'home = "home1"\n[local]\nport = {self.home}\n[cloud]\nport = {self.cloud}\n'
                       f'[journal]\npath = "{self.file("journal.sqlite")}"\n[control]\nsocket = "{self.socket}"\n'
                       "[thermostat]\nstale_after = \"30m\"\n")
        self.start("hearthd", self.program("hearthd"), "--config", self.file("hearthd.toml"))
        # All of the cloud: without points there is no audit that finds no gap.
        self.database = Database(self.directory)
        self.start("cloud", self.program("hearth-cloud"), "serve", environment={
            "MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(self.cloud), "EVENT_LOG": "journal", "INFLUX_API": "v1",
            "INFLUX_URL": f"http://127.0.0.1:{self.database.port}",
            "JOURNAL_PATH": self.file("event-log.sqlite"), "HTTP_PORT": str(self.cloud_http)})
        self.start_web()
        wait(15, lambda: os.path.exists(self.socket), "hearthd opens its control socket")
        self.start("rooms", self.program("hearth-sim"), "home", "--port", str(self.home), "--speed", str(speed),
                   "--rooms", "office,kitchen,bedroom,living-room,bathroom,nursery")

    def start_web(self, *options):
        self.start("hearth-web", self.program("hearth-web"), "--listen", f"127.0.0.1:{self.web}", "--socket", self.socket,
                   *options)
        wait(10, lambda: accepts(self.web), "hearth-web listens")

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
        wait(10, lambda: "Subscribed (mid" in rig.log(self.name), "mosquitto_sub has subscribed")

    def commands(self):
        return [payload for _, payload in self.timed()]

    def timed(self):
        """(seconds since 1970, payload) of each command."""
        lines = [line.split(" ", 1) for line in self.rig.log(self.name).split("\n") if '{"status"' in line]
        return [(float(at), payload) for at, payload in lines if at[:1].isdigit()]

    def after(self, moment, status):
        """When the first command "0" or "1" after a moment arrived; None when none has."""
        return next((at for at, payload in self.timed() if at >= moment and f'"{status}"' in payload), None)
