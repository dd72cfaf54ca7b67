"""A gateway that says what a test wants, over the control socket's protocol (varlink.org): for states of the page that a
running house reaches in a year, or never when it is wanted."""

import json
import math
import os
import socket
import threading
import time


class Gateway:
    """Answers like hearthd. `status`, `history` and `settings` may be changed at any time; `asked` has every change."""

    def __init__(self, path):
        self.path, self.status, self.history, self.settings = path, {}, {}, {}
        self.asked, self.answers = [], {}
        self.open()

    def open(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.connections = []
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """As a process that was killed."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        buffer = b""
        try:
            while chunk := connection.recv(65536):
                buffer += chunk
                while b"\0" in buffer:
                    message, buffer = buffer.split(b"\0", 1)
                    self.answer(connection, json.loads(message))
        except OSError:
            pass

    def answer(self, connection, call):
        method, parameters = call["method"].rsplit(".", 1)[1], call.get("parameters") or {}

        def send(answer, **more):
            connection.sendall(json.dumps({"parameters": answer, **more}).encode() + b"\0")

        if method == "Status":
            while call.get("more"):
                send(self.status, continues=True)
                time.sleep(0.25)
            send(self.status)
        elif method == "History":
            send(self.history.get(parameters["span"], self.history.get("hour")))
        elif method == "GetSettings":
            send(self.settings)
        else:
            self.asked.append((method, parameters))
            if (error := self.answers.get(method, {}).get("error")) is not None:
                name, message, *said = error
                parameters = {"message": message, **({"say": said[0]} if said else {})}
                connection.sendall(json.dumps({"error": f"io.hearth.Gateway.{name}", "parameters": parameters}).encode() + b"\0")
            else:
                send({"secondsLeft": parameters.get("seconds"), "isReachable": True, "kept": True, "problem": None,
                      **self.answers.get(method, {})})


# --- What a house says ---

def room(name, temperature=21.0, pump="off", **more):
    return {"room": name, "name": name, "temperature": temperature, "readingAgeSeconds": 3.0, "stale": False, "pump": pump,
            "pumpSeconds": 812.0, "reason": "21.0 is above 20.7" if pump == "off" else "20.4 is below 20.7", "mode": "auto",
            "target": 21.0, "onBelow": 20.7, "offAbove": 21.3, "preset": "comfort", "scheduled": "comfort", "hold": None,
            "pumpProblem": None, "discarded": 0, "override": None, "waitingSeconds": None, "waiting": None, **more}


def status(rooms, alarms=(), cloud="connected", enabled=True, **more):
    def link(name, state="connected"):
        return {"name": name, "peer": f"{name}.example:1883", "state": state, "seconds": 5023.0, "protocol": "MQTT 5", "detail": ""}

    links = [link("control"), link("record")] + ([link("uplink", cloud)] if enabled else [])
    away = cloud != "connected"
    return {
        "version": "0.1.0", "home": "home1", "temperatureUnit": "C", "startedAt": "2026-11-29T10:00:00Z", "uptimeSeconds": 86423.0,
        "configurationError": None, "rooms": list(rooms), "links": links, "alarms": list(alarms),
        "uplink": {"confirm": "ingestor", "enabled": enabled, "backlog": 4123 if away else 0,
                   "oldestSeconds": 1380.0 if away else None, "ratePerSecond": 0.0, "secondsToDrain": None, "inFlight": 0,
                   "confirmedThrough": 100000, "resent": 0},
        "journal": {"path": "/var/lib/hearth/journal.sqlite", "epoch": "e", "newest": 104123, "firstKept": 1,
                    "usedBytes": 7_340_032, "fileBytes": 8_388_608, "walBytes": 0, "maxBytes": 536_870_912, "dropped": 0,
                    "quarantined": 0, "setAside": {}, "commits": 1, "lastCommitMilliseconds": 1.2, "lastError": None},
        "disk": {"freeBytes": 21_474_836_480, "totalBytes": 31_268_536_320},
        "recording": {"pid": 812, "restarts": 0, "seconds": 86423.0, "silentSeconds": 0.4, "lastEnd": None},
        "counters": {"readings": 104001, "commands": 122, "retained": 0, "recorded": 104123, "duplicates": 0, "sameTime": 0,
                     "foreign": 0, "rejected": {}, "ignored": {}, "notObeyed": {}}, **more}


SPANS = {"hour": (10, 360), "day": (300, 288), "week": (3600, 168), "month": (21600, 124), "year": (86400, 366)}


def history(names, outage=False, outdoor=False):
    """Every span of a house that is kept at 21 °C, colder at night and in winter; the more so outdoors, where that is measured."""
    result = {}
    for span, (step, count) in SPANS.items():
        start = int(time.time()) // step * step - (count - 1) * step
        rooms = []
        for number, name in enumerate(names):
            moments = [start + step * index for index in range(count)]
            mean = [20.6 + 0.5 * math.sin(at / 86400 * 2 * math.pi + number) + 0.3 * math.sin(at / 4000) for at in moments]
            if span == "year":
                mean = [value + 2.5 * math.cos((at / 86400 - 200) / 365 * 2 * math.pi) for value, at in zip(mean, moments)]
            share = [max(0, min(1, round(2 * (20.9 - value), 2))) for value in mean]
            rooms.append({"room": name, "since": start, "temperature": [round(value, 2) for value in mean],
                          "low": [round(value - 0.4, 2) for value in mean], "high": [round(value + 0.5, 2) for value in mean],
                          "pump": share, **({} if span in ("hour", "day") else {"starts": [round(4 * one) for one in share]})})
        outages = [{"link": "cloud", "start": time.time() - 1380, "end": None}] if outage else []
        outside = {"room": "pump", "measure": "outside_temperature", "since": start, **{
            name: [round(12 + 10 * math.cos((at / 86400 - 200) / 365 * 2 * math.pi) + 4 * math.sin(at / 86400 * 2 * math.pi) + more, 2)
                   if index % max(1, 1800 // step) == 0 else None
                   for index, at in enumerate(range(start, start + step * count, step))]
            for name, more in (("temperature", 0), ("low", -1), ("high", 1))}}
        result[span] = {"start": start, "step": step, "count": count, "isComplete": True, "rooms": rooms,
                        "outdoor": outside if outdoor else None, "outages": outages}
    return result


WEEK = [{"days": ["mon", "tue", "wed", "thu", "fri"], "time": "06:30", "preset": "comfort"},
        {"days": ["sat", "sun"], "time": "08:00", "preset": "comfort"},
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "time": "22:00", "preset": "eco"}]


def settings(names):
    def of(name):
        values = {"mode": ("auto", "default"), "target": (21.0, "file"), "band": (0.6, "default"), "schedule": (WEEK, "kept"),
                  "presets.frost": (7.0, "default"), "presets.eco": (18.0, "house"), "presets.comfort": (21.0, "file"),
                  "name": (name, "default"), "order": (None, "default")}
        return [{"key": key, "value": value, "origin": origin} for key, (value, origin) in values.items()]

    return {"temperatureUnit": "C", "file": "/var/lib/hearth/settings.toml", "house": [],
            "rooms": [{"room": name, "settings": of(name)} for name in names]}
