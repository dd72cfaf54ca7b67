"""A real InfluxDB 1.x in a directory of its own."""

import base64
import json
import os
import shutil
import urllib.parse
import urllib.request

from House.processes import Process, free_port, wait_for

INFLUXD = shutil.which("influxd") or "/usr/bin/influxd"


class Influx:
    """- limits: lines of its section [data].
    - prepare: called with its directory before it starts.
    - http: lines of its section [http]."""

    def __init__(self, directory, limits="", prepare=None, http=""):
        self.directory = os.path.join(directory, "influx")
        os.makedirs(self.directory)
        if prepare:
            prepare(self.directory)
        self.port, self.http = free_port(), http
        self.was_killed = False
        self.configure(limits)
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def configure(self, limits):
        d = self.directory
        with open(d + "/influxdb.conf", "w") as f:
            f.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{d}/meta"\n[data]\n'
                    f'dir = "{d}/data"\nwal-dir = "{d}/wal"\nquery-log-enabled = false\n{limits}\n[monitor]\nstore-enabled = false\n'
                    f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n{self.http}\n[logging]\nlevel = "error"\n')

    def start(self):
        """After a kill it is started twice. influxd 1.6 opens its log at the end, then cuts off the entry that the kill
        tore, then writes behind the gap: at the next start everything behind it is gone, acknowledged or not. A start
        in between that nobody writes to leaves the log whole. (Two plain HTTP clients, three kills: 2 of 400 runs.)"""
        if self.was_killed:
            self.run(free_port()).terminate()
            self.was_killed = False
        self.process = self.run(self.port)

    def run(self, port):
        process = Process([INFLUXD, "-config", self.directory + "/influxdb.conf"], self.directory + "/log",
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

    def end(self):
        self.process.end()

    def stop(self):
        self.process.stop()

    def query(self, statement, database="", user=None, epoch="ns"):
        """- user: `name:password`.
        - epoch: the unit of times; empty: they are texts.
        - Returns: the result of one statement."""
        data = urllib.parse.urlencode({"q": statement, "db": database, "epoch": epoch}).encode()
        request = urllib.request.Request(f"{self.url}/query", data)
        if user:
            request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["results"][0]

    def write(self, lines, database):
        urllib.request.urlopen(f"{self.url}/write?db={database}", lines.encode(), timeout=30).close()

    def count(self, database, measurement, field="value", user=None):
        """How many points there are."""
        series = self.query(f"SELECT count({field}) FROM {measurement}", database, user).get("series")
        return series[0]["values"][0][1] if series else 0

    def points(self, measurement, fields, database):
        """{home: {(room, ns): value or tuple of values}}"""
        names = ", ".join(f'"{f}"' for f in fields)
        found = {}
        for series in self.query(f'SELECT {names} FROM "{measurement}" GROUP BY home, room', database).get("series", []):
            home = found.setdefault(series["tags"]["home"], {})
            for time_ns, *values in series["values"]:
                home[series["tags"].get("room", ""), time_ns] = values[0] if len(fields) == 1 else tuple(values)
        return found


class Database(Influx):
    """With Hearth's databases, for what runs no `hearth-cloud setup`."""

    def __init__(self, directory):
        super().__init__(directory)
        for name in ("raw", "clean", "aggregate"):
            self.query(f"CREATE DATABASE {name}")
