"""Sensors and pumps of one home in a process of their own: publishes readings, and measures from the home broker's side how
long each command takes and how regularly it is repeated. Prints a line of JSON per observation."""

import argparse
import datetime
import json
import random
import select
import signal
import socket
import sys
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House import mqtt

PROBE, STEADY = "probe", "steady"
# A command that takes longer than this did not come in time, whatever happens to the recording side.
LATE = 2.0
# The sensors' clock runs at sixty times real time, as the real ones do.
SPEED = 60
EPOCH = datetime.datetime(1970, 1, 1)


class Client:
    """MQTT 3.1.1, QoS 1 without retries: a home broker that is not touched loses nothing."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.packet_id, self.unacknowledged = bytearray(), 0, set()
        self.socket.sendall(mqtt.connect(b"sensors"))

    def subscribe(self, topic):
        body = b"\0\1" + mqtt.field(topic.encode()) + b"\0"
        self.socket.sendall(b"\x82" + mqtt.encode_variable(len(body)) + body)

    def publish(self, topic, payload):
        self.packet_id = self.packet_id % 65535 + 1
        self.unacknowledged.add(self.packet_id)
        self.socket.sendall(mqtt.publish(topic, payload, 4, 1, self.packet_id))

    def messages(self, seconds):
        """What arrives within that time; returns as soon as there is something."""
        if not select.select([self.socket], [], [], max(0, seconds))[0]:
            return []
        data = self.socket.recv(1 << 16)
        if not data:
            raise OSError("the home broker closed the connection")
        self.buffer += data
        found = []
        for packet in mqtt.split(self.buffer):
            if mqtt.kind(packet) == mqtt.PUBACK:
                self.unacknowledged.discard(mqtt.puback(packet)[0])
            elif mqtt.kind(packet) == mqtt.PUBLISH:
                found.append(mqtt.publication(packet, 4))
        return found


class House:
    def __init__(self, options):
        self.client = Client(options.port)
        self.random = random.Random(options.seed)
        self.began = time.monotonic()
        self.start = time.time()
        self.rooms = [f"room{n}" for n in range(options.rooms)]
        self.pause = 1 / options.rate
        # What the probe's pump shall do next, since when it waits for it, and when it was told last.
        self.wanted, self.asked, self.next_probe = True, None, 0.0
        self.next_steady, self.repeated = 0.0, None
        self.isStopping = False
        for room in (PROBE, STEADY):
            self.client.subscribe(f"{room}/heatpump")

    def reading(self, room, value):
        at = EPOCH + datetime.timedelta(seconds=self.start + (time.monotonic() - self.began) * SPEED)
        self.client.publish(f"{room}/temperature", json.dumps({"timestamp": at.isoformat(), "value": value}).encode())

    def run(self):
        next_reading = time.monotonic()
        while not self.isStopping:
            now = time.monotonic()
            if now >= next_reading:
                next_reading = max(next_reading + self.pause, now - 1)
                self.reading(self.random.choice(self.rooms), round(self.random.uniform(20.5, 24.5), 6))
            self.probe(now)
            if now >= self.next_steady:
                self.next_steady = now + 1
                self.reading(STEADY, round(self.random.uniform(14, 16), 6))
            for message in self.client.messages(min(next_reading - time.monotonic(), 0.01)):
                self.heard(message)
        deadline = time.monotonic() + 10
        while self.client.unacknowledged and time.monotonic() < deadline:
            self.client.messages(0.1)

    def probe(self, now):
        if self.asked is not None and now - self.asked > LATE:
            say(at=now, late=True)
            self.asked = None
        if self.asked is None and now >= self.next_probe:
            self.asked, self.next_probe = now, now + 0.1
            self.reading(PROBE, round(self.random.uniform(14, 16) if self.wanted else self.random.uniform(26, 27), 6))

    def heard(self, message):
        now = time.monotonic()
        isOn = json.loads(message.payload)["status"] == "1"
        if message.topic.startswith(PROBE):
            if self.asked is not None and isOn == self.wanted and not message.retained:
                say(at=now, milliseconds=round((now - self.asked) * 1000, 3))
                self.asked, self.wanted = None, not self.wanted
        elif isOn:
            if self.repeated is not None:
                say(at=now, gap=round(now - self.repeated, 3))
            self.repeated = now


def say(**observation):
    print(json.dumps(observation), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--rooms", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    house = House(parser.parse_args())

    def stop(*_):
        house.isStopping = True
    signal.signal(signal.SIGTERM, stop)
    house.run()


if __name__ == "__main__":
    main()
