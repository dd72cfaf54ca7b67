"""A broker whose packets are wrong (hostile_packets.py), against the real programs; meanwhile a real Mosquitto serves the other side.

Right: hearthd is the same process at the end and its recording side never ended by itself. With the hostile peer at the
cloud's address, every reading at home was answered by its command within two seconds; with it at the home broker's address, the
pump hears again within seconds of the real broker's return. hearth-cloud is the same process too."""

import json
import os
import random
import struct
import subprocess
import threading
import time

import socket

from hostile_packets import mutated, packet, properties, shuffled
from House.brokers import Broker
from House.checks import Failure
from House.cloud import settings
from House.processes import Process, free_port, wait_for
from scenarios import scenario

# Gateways and ingestors side by side: a cloud link waits up to a minute between its attempts.
CLOUD_LINKS = 6


class HostileBroker:
    def __init__(self, port, seed):
        self.random, self.packets = random.Random(seed), shuffled(seed)
        self.lock = threading.Lock()
        self.served = self.version5 = self.sent = 0
        self.last = b""
        self.open = True
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(50)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer, random.Random(self.random.random())), daemon=True).start()

    def serve(self, peer, r):
        self.served += 1
        peer.settimeout(1)
        try:
            connect = peer.recv(4096)
            version5 = len(connect) > 8 and connect[8 if connect[1] < 128 else 9] == 5
            self.version5 += version5
            if r.random() < 0.3 and version5:
                out = packet(r, 0x20, b"\0\0" + properties(r)) if r.random() < 0.5 else self.next_packet(0x20)
            else:
                out = b"\x20\x03\0\0\0" if version5 else b"\x20\x02\0\0"
            self.send(peer, out)
            for _ in range(r.randrange(1, 12)):
                try:
                    data = peer.recv(4096)
                    if not data:
                        return
                    identifier = struct.unpack(">H", data[2:4])[0] if len(data) >= 4 else 1
                except TimeoutError:
                    identifier = r.randrange(10)
                self.send(peer, mutated(r, identifier) if r.random() < 0.5 else self.next_packet())
                peer.settimeout(r.choice([0.01, 0.05, 0.3]))
        except OSError:
            pass
        finally:
            peer.close()

    def next_packet(self, header=None):
        with self.lock:
            return next(p for p in self.packets if header in (None, p[0]))

    def send(self, peer, out):
        self.last, self.sent = out, self.sent + 1
        peer.sendall(out)

    def close(self):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class House:
    """The programs that are attacked, and a pump that listens at the home broker."""

    def __init__(self, run):
        self.run, self.programs, self.pump, self.victims = run, [], [], []

    def start(self, name, arguments, environment=None):
        process = Process(arguments, f"{self.run.directory}/{name}.log", environment)
        self.programs.append(process)
        return process

    def broker(self, name, port):
        broker = Broker(self.run.directory, name, port=port)
        self.programs.append(broker.process)

    def hearthd(self, name, home, cloud, part, protocol):
        local, remote = (f'\nprotocol = "{protocol}"' if part == side else "" for side in ("home", "cloud"))
        directory = f"{self.run.directory}/{name}"
        os.makedirs(directory)
        with open(f"{directory}/hearthd.toml", "w") as file:
            file.write(f'home = "{name}"\n[local]\nport = {home}{local}\n[cloud]\nport = {cloud}{remote}\n[journal]\n'
                       f'path = "{directory}/journal.sqlite"\n[control]\nsocket = "{directory}/sock"\n')
        self.victims.append(self.start(name, [f"{self.run.programs}/hearthd", "--config", file.name]))

    def ingest(self, name, cloud, protocol):
        self.victims.append(self.start(name, [f"{self.run.programs}/hearth-cloud", "ingest"], settings(
            self.run.directory, cloud, 0, MQTT_PROTOCOL=protocol, MQTT_CLIENT_ID=name, JOURNAL_PATH=f"{self.run.directory}/{name}.sqlite")))

    def listen(self, port):
        process = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(port), "-t", "+/heatpump", "-d"],
                                   stdout=subprocess.PIPE, text=True)
        ready = threading.Event()

        def follow():
            for line in process.stdout:
                if "Subscribed" in line:
                    ready.set()
                self.pump.append(line)
        threading.Thread(target=follow, daemon=True).start()
        self.programs.append(process)
        if not ready.wait(10):
            raise Failure("the pump does not hear")

    def alive(self, hostile):
        for victim in self.victims:
            if not victim.running() or "it is started again" in victim.output():
                raise Failure(f"{victim.path}: ended after {hostile.last.hex()}\n" + victim.output()[-1500:])

    def end(self):
        for process in reversed(self.programs):
            process.kill() if isinstance(process, subprocess.Popen) else process.end()


def publish(port, value):
    subprocess.run(["mosquitto_pub", "-p", str(port), "-t", "office/temperature", "-m",
                    json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "value": value})],
                   capture_output=True, check=False)


def command_follows(house, port, value, status, within):
    count, begun = len(house.pump), time.monotonic()
    while time.monotonic() - begun < within:
        publish(port, value)
        for _ in range(10):
            if any(f'"{status}"' in line for line in house.pump[count:]):
                return time.monotonic() - begun
            time.sleep(0.02)
    raise Failure(f"no command {status} at {value} within {within} s\n" + house.victims[0].output()[-1500:])


def attack(run, part, protocol, seconds):
    house = House(run)
    try:
        home, cloud = free_port(), free_port()
        hostile = HostileBroker(home if part == "home" else cloud, run.seed)
        if part == "ingest":
            for number in range(CLOUD_LINKS):
                house.ingest(f"ingest{number}-{protocol}", cloud, protocol)
        else:
            house.broker(f"real-{protocol}", cloud if part == "home" else home)
            house.hearthd(f"home-{protocol}", home, cloud, part, protocol)
        if part == "cloud":
            house.listen(home)
            for number in range(1, CLOUD_LINKS):
                house.hearthd(f"home{number}-{protocol}", free_port(), cloud, part, protocol)
        wait_for(lambda: hostile.served > 0, 15, "somebody comes to the hostile peer")
        end, slowest, commands = time.monotonic() + seconds, 0.0, 0
        while time.monotonic() < end:
            house.alive(hostile)
            if part == "cloud":
                commands += 1
                on = commands % 2
                slowest = max(slowest, command_follows(house, home, 17 if on else 27, on, 2))
            else:
                time.sleep(0.2)
        more = {"commands": commands, "slowest": f"{slowest * 1000:.0f} ms"} if commands else {}
        hostile.close()
        if part == "home":
            house.broker(f"returned-{protocol}", home)
            house.listen(home)
            more["heated again after"] = f"{command_follows(house, home, 17, 1, 20):.1f} s"
        house.alive(hostile)
        return {"connections": hostile.served, "of v5": hostile.version5, "packets": hostile.sent, **more}
    finally:
        house.end()


def both_versions(run, part):
    counts = {}
    for protocol in ("auto", "5"):
        for name, value in attack(run, part, protocol, run.pick(8, 300)).items():
            counts[f"{name} ({protocol})"] = value
    return counts


@scenario("hostile-home-broker", "the home broker's packets are mutated: unknown, doubled, cut properties, every length")
def hostile_home(run):
    return both_versions(run, "home")


@scenario("hostile-cloud-broker", "the cloud broker's packets are mutated; meanwhile pumps are commanded")
def hostile_cloud(run):
    return both_versions(run, "cloud")


@scenario("hostile-ingest-broker", "the packets of hearth-cloud's broker are mutated")
def hostile_ingest(run):
    return both_versions(run, "ingest")
