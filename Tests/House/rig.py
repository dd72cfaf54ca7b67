"""The whole chain of real programs: homes with their own brokers and gateways, a cloud broker, hearth-cloud on one of its
engines, and a real InfluxDB. Everything may be killed; what is measured is measured from outside."""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from House.proxy import Proxy

CRASHES = (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV)


class Failure(Exception):
    """What the suite is there to find."""


class Late(Failure):
    """Something did not come in its time. Never a loss: what is missing in the end is a plain failure."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Late(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A program that does not outlive this one, whose output goes to a file."""

    def __init__(self, arguments, log, environment=None):
        self.log = open(log, "ab")
        self.path = log
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log,
                                      env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        """Whether it lives. That it killed itself by a trap is a failure wherever it is noticed."""
        code = self.child.poll()
        if code is not None and -code in CRASHES:
            raise Failure(f"{self.path}: ended by {signal.Signals(-code).name}: a crash of its own")
        return code is None

    def kill(self):
        self.running()
        self.child.kill()
        self.child.wait()

    def end(self):
        """Whatever it has come to."""
        self.child.kill()
        self.child.wait()

    def signal(self, number):
        self.child.send_signal(number)

    def terminate(self, seconds=15):
        self.running()
        self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.path}: does not stop within {seconds} s of SIGTERM") from None

    def output(self):
        with open(self.path, errors="replace") as f:
            return f.read()


class Broker:
    """A Mosquitto like the packaged one, on a port of its own; a snapshot per change is left out where it is not killed."""

    def __init__(self, directory, name, durable=False, more="", port=None):
        self.port = port or free_port()
        self.store = os.path.join(directory, name)
        os.makedirs(self.store, exist_ok=True)
        self.configuration = self.store + ".conf"
        with open(self.configuration, "w") as f:
            f.write(f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
                    f"persistence_location {self.store}/\nupgrade_outgoing_qos true\nmax_queued_messages 0\n"
                    f"max_inflight_messages 1000\nset_tcp_nodelay true\n{more}\n"
                    + ("autosave_interval 1\nautosave_on_changes true\n" if durable else ""))
        self.start()

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = Process([program, "-c", self.configuration], self.store + ".log")
        wait_for(lambda: listening(self.port), 10, "a broker listens")

    def kill(self):
        self.process.kill()

    def forget(self):
        """Sessions, queues, retained messages: its database is gone."""
        for name in os.listdir(self.store):
            os.remove(os.path.join(self.store, name))

    def stop(self):
        self.process.terminate()


class Influx:
    """- limits: lines of its section [data].
    - prepare: called with its directory before it starts."""

    def __init__(self, directory, limits="", prepare=None):
        self.directory = os.path.join(directory, "influx")
        os.makedirs(self.directory)
        if prepare:
            prepare(self.directory)
        self.port = free_port()
        self.was_killed = False
        self.configure(limits)
        self.start()

    def configure(self, limits):
        d = self.directory
        with open(d + "/influxdb.conf", "w") as f:
            f.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{d}/meta"\n[data]\n'
                    f'dir = "{d}/data"\nwal-dir = "{d}/wal"\nquery-log-enabled = false\n{limits}\n[monitor]\nstore-enabled = false\n'
                    f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n[logging]\nlevel = "error"\n')

    def start(self):
        """After a kill it is started twice. influxd 1.6 opens its log at the end, then cuts off the entry that the kill
        tore, then writes behind the gap: at the next start everything behind it is gone, acknowledged or not. A start
        in between that nobody writes to leaves the log whole. (Two plain HTTP clients, three kills: 2 of 400 runs.)"""
        if self.was_killed:
            self.run(free_port()).terminate()
            self.was_killed = False
        self.process = self.run(self.port)

    def run(self, port):
        process = Process(["influxd", "-config", self.directory + "/influxdb.conf"], self.directory + "/log",
                          {"INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{port}"})

        def answers():
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1).close()
                return True
            except OSError:
                return False
        wait_for(answers, 30, "influxd answers")
        return process

    def kill(self):
        self.process.kill()
        self.was_killed = True

    def query(self, statement, database):
        data = urllib.parse.urlencode({"q": statement, "db": database, "epoch": "ns"}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/query", data, timeout=30) as answer:
            return json.load(answer)

    def write(self, lines, database):
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/write?db={database}", lines.encode(), timeout=30).close()

    def points(self, measurement, fields, database):
        """{home: {(room, ns): value or tuple of values}}"""
        names = ", ".join(f'"{f}"' for f in fields)
        answer = self.query(f'SELECT {names} FROM "{measurement}" GROUP BY home, room', database)
        found = {}
        for series in answer["results"][0].get("series", []):
            home = found.setdefault(series["tags"]["home"], {})
            for time_ns, *values in series["values"]:
                home[series["tags"].get("room", ""), time_ns] = values[0] if len(fields) == 1 else tuple(values)
        return found


class Home:
    """A gateway between its home broker and the cloud's, with a proxy on each side."""

    def __init__(self, rig, name, more="", journal=None, durable_broker=False, cloud_port=None, confirm="ingestor",
                 max_size="512MiB", cloud_host="127.0.0.1", opaque_link=False, zone="UTC", environment=None):
        self.rig, self.name = rig, name
        self.directory = os.path.join(rig.directory, name)
        os.makedirs(self.directory)
        self.broker = Broker(self.directory, "broker", durable_broker)
        self.wire = Proxy(self.broker.port)
        self.link = Proxy(cloud_port or rig.broker.port, host=cloud_host if ":" in cloud_host else "127.0.0.1")
        self.link.opaque = opaque_link
        self.journal = journal or os.path.join(self.directory, "journal.sqlite")
        self.socket = os.path.join(self.directory, "control.sock")
        self.configuration = os.path.join(self.directory, "hearthd.toml")
        with open(self.configuration, "w") as f:
            f.write(f'home = "{name}"\nsensor_time_zone = "{zone}"\n[local]\nport = {self.wire.port}\n[cloud]\nhost = "{cloud_host}"\nport = {self.link.port}\n[uplink]\n'
                    f'confirm = "{confirm}"\n[journal]\npath = "{self.journal}"\nmax_size = "{max_size}"\n[control]\nsocket = "{self.socket}"\n'
                    f'{more}\n')
        self.process, self.feeder, self.environment, self.feeds = None, None, environment or {}, 0
        # Crashes of the recording side that the scenario made itself.
        self.made_crashes = 0

    def start(self, environment=None):
        self.process = Process([self.rig.program("hearthd"), "--config", self.configuration],
                               self.directory + "/hearthd.log", {**self.environment, **(environment or {})})

    def kill(self):
        self.process.kill()

    def restart(self, environment=None):
        self.kill()
        self.start(environment)

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

    def status(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                s.connect(self.socket)
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

    def audit(self):
        """What `hearth audit` says."""
        result = subprocess.run([self.rig.program("hearth"), "audit", "--since", "1h", "--json", "--socket", self.socket],
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

    def recording(self, seconds=15):
        """The gateway's persistent session stands, so that the broker keeps what it misses from now on."""
        wait_for(lambda: "recording" in self.process.output(), seconds, f"{self.name} records")

    def feed(self, rate=50, rooms=3, seed=1, count=0, step=24_000_000, payload="sensor", reliable=True, port=None):
        """Readings, whose clocks run 24 s per reading: sensors at sixty times real time, as the real ones.

        Each feeder begins a year after the last: a clock that jumped back would begin its windows anew."""
        start = int(time.time() + self.feeds * 31_536_000) * 1_000_000
        self.feeds += 1
        arguments = [self.rig.program("hearth-sim"), "load", "--port", str(port or self.broker.port), "--rooms", str(rooms),
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


class Rig:
    """- kafka: makes the peer that speaks Kafka's protocol in a directory, for four services; None for `serve` and its journal.
    - replicas: of each of the four."""

    def __init__(self, programs, directory, kafka=None, replicas=1, influx_port=None, broker_more="", influx_limits="",
                 influx_prepare=None):
        self.programs, self.directory, self.replicas = programs, directory, replicas
        os.makedirs(directory, exist_ok=True)
        self.broker = Broker(directory, "cloud", more=broker_more)
        self.influx = Influx(directory, influx_limits, influx_prepare)
        self.homes, self.services = [], {}
        self.aside = set()  # homes whose points the oracle does not judge
        self.environment = {
            "MQTT_PORT": str(self.broker.port), "EVENT_LOG": "journal", "JOURNAL_PATH": directory + "/events.sqlite",
            "KAFKA_SESSION_TIMEOUT": "6", "INFLUX_URL": f"http://127.0.0.1:{influx_port or self.influx.port}",
            "INFLUX_API": "v1", "HTTP_PORT": "0"}
        self.kafka = kafka(directory) if kafka else None
        if self.kafka:
            self.environment.update({"EVENT_LOG": "kafka", "KAFKA_HOST": self.kafka.servers, **self.kafka.environment})
        subprocess.run([self.program("hearth-cloud"), "setup"], check=True, capture_output=True, timeout=60,
                       env={**os.environ, **self.environment, **(self.kafka.setup if self.kafka else {}),
                            "INFLUX_URL": f"http://127.0.0.1:{self.influx.port}"})

    def program(self, name):
        return os.path.join(self.programs, name)

    @property
    def service_names(self):
        if not self.kafka:
            return ["serve"]
        return [name + (f".{number}" if number > 1 else "") for name in ("ingest", "save-raw", "clean", "aggregate")
                for number in range(1, self.replicas + 1)]

    @property
    def ingest(self):
        return self.service_names[0]

    def start(self, name, environment=None):
        self.services[name] = Process([self.program("hearth-cloud"), name.partition(".")[0]], f"{self.directory}/{name}.log",
                                      {**self.environment, "MQTT_CLIENT_ID": name, **(environment or {})})

    def start_services(self):
        for name in self.service_names:
            self.start(name)

    def kill(self, name):
        self.services[name].kill()

    def home(self, name=None, **options):
        home = Home(self, name or f"home{len(self.homes) + 1}", **options)
        self.homes.append(home)
        return home

    def close(self):
        for home in self.homes:
            for process in (home.feeder, home.process, home.broker.process):
                if process:
                    process.end()
            home.wire.close()
            home.link.close()
        for process in [*self.services.values(), self.broker.process, self.influx.process]:
            process.end()
        if self.kafka:
            self.kafka.close()
