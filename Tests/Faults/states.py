"""Every failure state for three minutes on real peers: what it costs in words and processor time. Words in the first minute, a
day's bytes projected, and CPU, of the gateway's two processes together; beyond a limit it is a failure."""

import os
import re
import shutil
import signal
import socket
import threading
import time
from dataclasses import dataclass

from House import mqtt
from House.brokers import Broker
from House.checks import Failure
from House.cloud import settings
from House.gateway import status
from House.processes import Process, free_port
from scenarios import scenario
from sensors import Client

LINES, BYTES, CPU = 20, 200_000, 1.0
# What a repeated line is said with, and how often a day at most: twenty times after a minute, once more for each hour, and
# every half hour (RepeatedWords.swift).
COUNTED, COUNTED_A_DAY = re.compile(r" \(\d+ times in \d+ min\)"), 20 + 24 + 48
READING = '{"timestamp": "%s", "value": %s}'


@dataclass
class State:
    name: str
    # Lines of the home broker's configuration; None: the peer is `stub` or nobody.
    broker: str | None = ""
    # What stands at the home broker's or the cloud's address instead: "close", "silent", "refuse", "flap", "nobody".
    home_stub: str | None = None
    cloud_stub: str | None = None
    cloud_broker: str | None = None
    local: str = ""
    cloud: str = ""
    more: str = ""
    acl: str | None = None
    # What happens all the while, with the house as its argument; each turn ends with a pause.
    trouble: object = None
    journal: str | None = None


class Stub(threading.Thread):
    """Stands where a broker should be."""

    def __init__(self, manner):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.manner = self.listener.getsockname()[1], manner
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client):
        try:
            client.settimeout(120)
            level = client.recv(4096)[8:9]
            if self.manner == "refuse":
                client.sendall(b"\x20\x03\0\x87\0" if level == b"\5" else b"\x20\x02\0\5")
            if self.manner == "flap":
                client.sendall(b"\x20\x03\0\0\0" if level == b"\5" else b"\x20\x02\0\0")
                time.sleep(0.3)
            if self.manner == "silent":
                while client.recv(4096):
                    pass
        except OSError:
            pass
        finally:
            client.close()


class House:
    """One gateway in its state, with a sensor of one reading a second."""

    def __init__(self, run, number, state, cloud_port):
        self.state, self.name = state, f"state{number}"
        self.directory = os.path.join(run.directory, self.name)
        os.makedirs(self.directory)
        more = state.broker or ""
        if state.acl is not None:
            with open(self.directory + "/acl", "w") as file:
                file.write(state.acl + "\nuser sensor\ntopic readwrite #\n")
            more += f"\nacl_file {self.directory}/acl"
        self.broker = Broker(self.directory, "broker", more=more) if state.home_stub is None else None
        self.cloud_broker = Broker(self.directory, "cloud", more=state.cloud_broker) if state.cloud_broker else None
        self.port = self.broker.port if self.broker else self.address(state.home_stub)
        cloud = self.cloud_broker.port if self.cloud_broker else self.address(state.cloud_stub) if state.cloud_stub else cloud_port
        self.journal = state.journal or self.directory + "/journal.sqlite"
        self.socket = self.directory + "/sock"
        text = (f'home = "{self.name}"\n[local]\nport = {self.port}\n{state.local}\n[cloud]\nport = {cloud}\n{state.cloud}\n[journal]\n'
                f'path = "{self.journal}"\n[control]\nsocket = "{self.socket}"\n{state.more}\n')
        self.process = self.gateway(run, "hearthd", text)
        self.other = None
        if state.name == "another gateway of this home":
            elsewhere = Broker(self.directory, "elsewhere")
            self.other = self.gateway(run, "other", text.replace(f"port = {self.port}", f"port = {elsewhere.port}")
                                      .replace("journal.sqlite", "other.sqlite").replace("/sock", "/other"))
            self.peers = [elsewhere]
        self.began = time.monotonic()

    def gateway(self, run, name, text):
        with open(f"{self.directory}/{name}.toml", "w") as file:
            file.write(text)
        return Process([f"{run.programs}/hearthd", "--config", file.name], f"{self.directory}/{name}.log")

    @staticmethod
    def address(manner):
        return free_port() if manner == "nobody" else Stub(manner).port

    def child(self):
        """The recording side. `children` below /proc lists those of one thread only."""
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                with open(f"/proc/{self.process.pid}/task/{thread}/children") as file:
                    pids = file.read().split()
            except OSError:
                continue
            if pids:
                return int(pids[0])
        return None

    def seconds(self):
        """Processor time of both so far. What a child that has ended used is its parent's, as the kernel counts it."""
        total = 0.0
        for pid in filter(None, (self.process.pid, self.child())):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            own = sum(int(fields[n]) for n in (11, 12))
            total += (own + (sum(int(fields[n]) for n in (13, 14)) if pid == self.process.pid else 0)) / os.sysconf("SC_CLK_TCK")
        return total

    def lines(self):
        return [line for line in self.process.output().splitlines() if line]

    def alarms(self):
        said = status(self.socket)
        return sorted({alarm["name"] for alarm in said["alarms"]}) if said else []

    def end(self):
        for process in (self.process, self.other):
            if process:
                process.end()
        for broker in [self.broker, self.cloud_broker, *getattr(self, "peers", [])]:
            if broker:
                broker.process.end()


def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


class Trouble(threading.Thread):
    """The house's sensor, and what else the state consists of; until `over`."""

    def __init__(self, house, over):
        super().__init__(daemon=True)
        self.house, self.over, self.client, self.number = house, over, None, 0
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.number += 1
            try:
                if self.house.broker:
                    self.client = self.client or Client(self.house.port)
                    if self.number % 20 == 1 and self.house.state.name != "a sensor that fell silent":
                        self.say("office/temperature", READING % (stamp(), 17 + self.number % 40 / 10))
                    self.client.messages(0)
                if self.house.state.trouble:
                    self.house.state.trouble(self)
            except OSError:
                self.client = None

    def say(self, topic, payload):
        if self.house.state.name == "readings at QoS 0":
            self.client.socket.sendall(mqtt.publish(topic, payload.encode(), 4))
        else:
            self.client.publish(topic, payload.encode())


def unreadable(trouble):
    trouble.say(f"room{trouble.number % 50}/temperature", ['{"temp": 21}', "NaN", "", "21,5", "x" * 2000][trouble.number % 5])


def made_up(trouble):
    trouble.say(f"room{trouble.number}/temperature", READING % (stamp(), 21))


def other_controller(trouble):
    if trouble.number % 10 == 0:
        trouble.say("office/heatpump", '{"status": "%d"}' % (trouble.number // 10 % 2))


def two_sensors(trouble):
    if trouble.number % 10 == 0:
        trouble.say("office/temperature", READING % (stamp(), 17.5 if trouble.number % 20 else 27.5))


def crash(trouble):
    child = trouble.house.child()
    if child and trouble.number % 10 == 0:
        os.kill(child, signal.SIGKILL)


PUMPS = "topic readwrite +/temperature\ntopic readwrite +/heatpump\n"
STATES = [
    State("nothing is wrong"),
    State("home broker away", home_stub="nobody"),
    State("home broker refuses the CONNECT", home_stub="refuse"),
    State("home broker closes at the CONNECT", home_stub="close"),
    State("home broker gives no answer", home_stub="silent"),
    State("home broker accepts and closes", home_stub="flap"),
    State("home broker: no retained messages, QoS 0 only", broker="retain_available false\nmax_qos 0"),
    State("home ACL without hearth/# (5)", acl=PUMPS, more="[home_assistant]\ndiscovery = true"),
    State("home ACL without hearth/# (3.1.1)", acl=PUMPS, local='protocol = "3.1.1"', more="[home_assistant]\ndiscovery = true"),
    State("home ACL refuses commands (5)", acl="topic readwrite +/temperature\ntopic readwrite hearth/#\ntopic read +/heatpump\n"),
    State("home ACL refuses commands (3.1.1)", local='protocol = "3.1.1"',
          acl="topic readwrite +/temperature\ntopic readwrite hearth/#\ntopic read +/heatpump\n"),
    State("home ACL refuses everything", acl="topic read nothing\n"),
    State("readings at QoS 0", broker="upgrade_outgoing_qos false"),
    State("cloud away", cloud_stub="nobody"),
    State("cloud refuses the CONNECT", cloud_stub="refuse"),
    State("cloud closes at the CONNECT", cloud_stub="close"),
    State("cloud gives no answer", cloud_stub="silent"),
    State("cloud accepts and closes", cloud_stub="flap"),
    State("cloud's name is unknown", cloud='host = "no-such-host.invalid"'),
    State("cloud does not speak TLS", cloud='[cloud.tls]\nca = "/etc/ssl/certs/ca-certificates.crt"'),
    State("cloud ACL refuses everything", cloud_broker="acl_file /dev/null"),
    State("nobody confirms in the cloud", cloud_broker="# no ingestor"),
    State("journal cannot be written", journal="/proc/journal.sqlite"),
    State("the recording side crashes again and again", trouble=crash),
    State("another gateway of this home"),
    State("twenty unreadable payloads a second", trouble=unreadable),
    State("twenty new room names a second", trouble=made_up),
    State("another controller on the pump's topic", trouble=other_controller),
    State("two sensors on one topic", trouble=two_sensors),
    State("a sensor that fell silent", more='[rooms.office]\nstale_after = "5s"'),
]


def projected(lines, first):
    """A day's bytes, of the lines and how many of them came in the first minute. What came later, without a count, goes on as it did."""
    counted, others = {}, 0
    for line in lines[first:]:
        if COUNTED.search(line):
            text = COUNTED.sub("", line.partition(" ")[2])
            counted[text] = max(counted.get(text, 0), len(line.encode()) + 1)
        else:
            others += len(line.encode()) + 1
    return (sum(len(line.encode()) + 1 for line in lines[:first]) + others / 2 * 1439 + sum(counted.values()) * COUNTED_A_DAY)


@scenario("failure-states", "every state in which something is wrong: lines, bytes, processor time", quick=False, alone=True)
def failure_states(run):
    cloud = Broker(run.directory, "cloud")
    ingest = Process([f"{run.programs}/hearth-cloud", "ingest"], run.directory + "/ingest.log", settings(run.directory, cloud.port, 0))
    over = threading.Event()
    chosen = os.environ.get("HEARTH_STATES")
    houses = []
    try:
        for number, state in enumerate(s for s in STATES if not chosen or re.search(chosen, s.name)):
            houses.append(House(run, number, state, cloud.port))
        for house in houses:
            Trouble(house, over)
        time.sleep(5)
        before = {house.name: (house.seconds(), time.monotonic()) for house in houses}
        first = {}
        while time.monotonic() < houses[-1].began + 180:
            for house in houses:
                if house.name not in first and time.monotonic() >= house.began + 60:
                    first[house.name] = len(house.lines())
            time.sleep(0.1)
        rows, beyond = [], []
        for house in houses:
            used, since = before[house.name]
            cpu = 100 * (house.seconds() - used) / (time.monotonic() - since)
            lines = house.lines()
            size = projected(lines, first[house.name])
            told = house.alarms()
            rows.append(f"| {house.state.name} | {first[house.name]} | {size / 1000:.0f} kB | {cpu:.2f} % | {', '.join(told) or '–'} |")
            if not house.process.running():
                beyond.append(f"{house.state.name}: the gateway ended")
            if first[house.name] > LINES or size > BYTES or cpu > CPU:
                beyond.append(rows[-1])
                kept = run.directory + "-" + house.name + ".log"
                shutil.copy(house.process.path, kept)
                beyond.append("its log: " + kept)
        table = ["| state | lines in the first minute | a day, projected | CPU | what is told |", "|---|---|---|---|---|", *rows]
        if beyond:
            raise Failure("\n".join([f"beyond {LINES} lines, {BYTES // 1000} kB or {CPU} %:", *beyond, "", *table]))
        return {"states": len(houses), "table": table}
    finally:
        over.set()
        for house in houses:
            house.end()
        ingest.end()
        cloud.process.end()
