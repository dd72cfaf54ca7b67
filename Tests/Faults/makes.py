"""Sensors of other makes than the black box's, in a home that is broken as others are. None of their payloads has a time that a
point's place could be known by, so every reading has a value of its own: each must be in the database, and once."""

import collections
import datetime
import json
import threading
import time

from sensors import Client

# Room: its sensor's kind, topic, and payload with a number and a time of the day in it.
SENSORS = {
    "zigbee room": ("zigbee2mqtt", "zigbee2mqtt/office sensor", '{{"battery": 91, "temperature": {0}, "linkquality": 70}}'),
    "tasmota room": ("tasmota", "tele/tasmota_1A2B3C/SENSOR", '{{"Time": "{1}", "AM2301": {{"Temperature": {0}, "Humidity": 40.1}}, "TempUnit": "C"}}'),
    "shelly room": ("shelly", "shellyplus1pm-a8032a/status/temperature:0", '{{"id": 0, "tC": {0}, "tF": 70.1}}'),
    "esphome room": ("esphome", "bedroom-node/sensor/temperature/state", "{0}"),
    "heishamon room": ("heishamon", "panasonic_heat_pump/main/Room_Thermostat_Temp", "{0}"),
}
CONFIGURATION = "".join(
    f'[[sensors]]\nkind = "{kind}"\ntopic = "{topic}"\nroom = "{room}"\n' for room, (kind, topic, _) in SENSORS.items())
ROOMS = {topic: room for room, (_, topic, _) in SENSORS.items()}
# As Tasmota and HeishaMon say what they do not know, among the readings.
BROKEN = [("tele/tasmota_1A2B3C/SENSOR", '{"Time": "1970-01-01T00:00:12", "AM2301": {"Temperature": null}, "TempUnit": "C"}'),
          ("zigbee2mqtt/office sensor", '{"temperature": "unavailable"}'), ("panasonic_heat_pump/main/Room_Thermostat_Temp", "")]


class Devices(threading.Thread):
    """Publishes for all of them in turn, beside whatever happens to the gateway; takes the place of a home's feeder."""

    def __init__(self, home, rate=20):
        super().__init__(daemon=True)
        self.client, self.pause, self.is_ended = Client(home.broker.port), 1 / rate, threading.Event()
        self.start()

    def run(self):
        number = 0
        while not self.is_ended.wait(self.pause):
            room = list(SENSORS)[number % len(SENSORS)]
            # Between 10 and 26 °C, and the same again after 81 920 readings of a room at the soonest.
            value = 10 + number // len(SENSORS) % 81_920 / 5120
            _, topic, payload = SENSORS[room]
            now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds")
            self.client.publish(topic, payload.format(value, now).encode())
            if number % 50 == 49:
                topic, payload = BROKEN[number // 50 % len(BROKEN)]
                self.client.publish(topic, payload.encode())
            self.client.messages(0)
            number += 1
        deadline = time.monotonic() + 10
        while self.client.unacknowledged and time.monotonic() < deadline:
            self.client.messages(0.1)

    def running(self):
        return self.is_alive()

    def terminate(self):
        self.is_ended.set()
        self.join(15)

    end = terminate


def readings(messages):
    """{(room, value)} of what these sensors sent."""
    found = set()
    for message in messages:
        room = ROOMS.get(message.topic)
        if room is None:
            continue
        try:
            body = json.loads(message.payload)
        except ValueError:
            continue
        kind = SENSORS[room][0]
        value = {"zigbee2mqtt": lambda: body.get("temperature"), "tasmota": lambda: body["AM2301"]["Temperature"],
                 "shelly": lambda: body["tC"]}.get(kind, lambda: body)()
        if isinstance(value, (int, float)):
            found.add((room, float(value)))
    return found


def problems(home, points, acknowledged, delivered):
    """What is wrong with a home's points in these rooms: each value that was acknowledged is there, none twice, no other."""
    found = collections.Counter((room, value) for (room, _), value in points.items() if room in SENSORS)
    missing = readings(acknowledged) - found.keys()
    surplus = found.keys() - readings(delivered)
    twice = [key for key, times in found.items() if times > 1]
    if not (missing or surplus or twice):
        return []
    return [f"devices of {home}: of {len(readings(acknowledged))} missing {len(missing)}, not wanted {len(surplus)}, twice "
            f"{len(twice)}: {[*sorted(missing)[:2], *sorted(surplus)[:2], *twice[:2]]}"]
