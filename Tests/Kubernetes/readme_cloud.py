"""How the README's commands of hearth-cloud and of databases are run here: a real Mosquitto with its dynamic-security plugin, a real
InfluxDB 1.x, hearth-cloud itself, and doubles of InfluxDB 2's administration and of its `influx`."""

import functools
import http.server
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0] + "/Cloud")
from cloud import Cloud
from homes import Cloud as HomesCloud
from House.brokers import security_plugin
from House.checks import check
from House.databases import Influx
from House.processes import Process, comes, free_port
from servers import start_server

PROGRAMS = os.environ.get("HEARTH_BIN_DIR", "")
# What influx 2.7 takes (docs.influxdata.com/influxdb/v2/reference/cli/influx/delete/), and nothing else.
INFLUX = """#!/usr/bin/env python3
import argparse, datetime, re, sys
parser = argparse.ArgumentParser(prog="influx", allow_abbrev=False)
commands = parser.add_subparsers(required=True)
delete = commands.add_parser("delete", allow_abbrev=False)
for name, needed in (("--bucket", True), ("--start", True), ("--stop", True), ("--predicate", False), ("--org", False)):
    delete.add_argument(name, required=needed)
options = parser.parse_args()
start, stop = (datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ") for text in (options.start, options.stop))
if start >= stop or not re.fullmatch(r'\\w+="[^"]*"( AND \\w+="[^"]*")*', options.predicate or ""):
    sys.exit("influx: the range or the predicate is none")
print(options.bucket, options.predicate)
"""


class Influx2(http.server.BaseHTTPRequestHandler):
    """As much of InfluxDB 2 as `setup` asks for; keeps the tokens it was asked to make."""

    protocol_version = "HTTP/1.1"
    buckets, made = {}, []

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Token operator":
            return self.answer(401, {"message": "unauthorized access"})
        if url.path == "/api/v2/orgs":
            return self.answer(200, {"orgs": [{"id": "0123", "name": "cloud"}]})
        if url.path == "/api/v2/buckets" and self.command == "POST":
            name = json.loads(body)["name"]
            self.buckets[name] = {"id": f"id-{name}", "name": name, "retentionRules": json.loads(body)["retentionRules"]}
            return self.answer(201, self.buckets[name])
        if url.path == "/api/v2/buckets":
            return self.answer(200, {"buckets": [b for b in self.buckets.values() if b["name"] == query.get("name")]})
        if url.path == "/api/v2/authorizations" and self.command == "POST":
            self.made.append(json.loads(body)["permissions"])
            return self.answer(201, {"token": f"token-{len(self.made)}"})
        return self.answer(404, {"message": "not found"})

    do_GET = do_POST = handle_one

    def log_message(self, *arguments):
        pass


def shell(command, environment, **options):
    """As a person types it, from the repository's root."""
    return subprocess.run(["bash", "-ec", command], env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", **environment},
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **options)


class Station:
    """Peers and services for as long as the README is run; each is there once it is asked for."""

    def __init__(self, directory):
        self.directory = directory
        self.ends = []

    def end(self):
        for end in reversed(self.ends):
            end()

    def place(self, name):
        path = self.directory / name
        path.mkdir()
        return path

    # MARK: One machine

    @functools.cached_property
    def influx(self):
        influx = Influx(self.place("influx"))
        self.ends.append(influx.end)
        return influx

    @functools.cached_property
    def cloud(self):
        cloud = Cloud(self.place("serve"), INFLUX_API="v1", INFLUX_URL=self.influx.url)
        cloud.environment["SETUP_WAIT"] = "10"
        check("README: hearth-cloud setup", cloud.setup().returncode == 0)
        self.ends.append(cloud.stop)
        return cloud

    def say(self, room, payload):
        subprocess.run(["mosquitto_pub", "-p", str(self.cloud.broker.port), "-V", "5", "-q", "1", "-t", f"home1/{room}/temperature", "-m",
                        payload], check=True, timeout=20)

    def reading(self, room, value):
        self.say(room, json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "value": value}))

    def points(self):
        return self.influx.count("raw", "raw_temperature")

    def serve(self, command):
        if self.cloud.serve:
            return self.cloud.is_ready()
        words = [f"{PROGRAMS}/{command.split()[0]}", *command.split()[1:]]
        self.cloud.serve = Process(words, self.cloud.directory / "serve.log", self.cloud.environment)
        check("README: serve is ready", comes(self.cloud.is_ready, 60), self.cloud.serve.output()[-500:])
        self.reading("office", 20.5)
        return comes(lambda: self.points() == 1, 30)

    def clash(self, line):
        """Somebody else's field of another type: what comes then waits."""
        self.influx.query("DROP MEASUREMENT raw_temperature", "raw")
        self.influx.write(line, "raw")
        self.reading("office", 20.75)
        return comes(lambda: "dead letters" in self.readiness() or "conflict" in self.readiness(), 40)

    def readiness(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.cloud.http}/readyz", timeout=5).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def statement(self, text):
        answer = self.influx.query(text, "raw")
        if text.startswith("SHOW"):
            return ["value", "integer"] in answer["series"][0]["values"]
        if text.startswith("SELECT"):
            return self.influx.count("raw", "old_raw_temperature") == 1
        # The waiting reading is written by itself.
        return "error" not in answer and comes(lambda: self.points() >= 1, 60)

    def letters(self, command):
        """One dead letter, before each."""
        if not self.listed():
            self.say("office", "no reading")
            comes(self.listed, 30)
        result = shell(command, self.cloud.environment)
        if "drop" in command:
            return result.returncode == 0 and not self.listed()
        shown = "home1/office/temperature" if "replay" not in command else "1"
        return result.returncode == 0 and shown in result.stdout

    def listed(self):
        return "home1/office/temperature" in shell("hearth-cloud dead-letters list", self.cloud.environment).stdout

    # MARK: Homes

    @functools.cached_property
    def homes(self):
        cloud = HomesCloud(self.place("homes"), security_plugin())
        self.ends.append(cloud.broker.end)
        cloud.homes("add", "cottage")
        check("README: a home says its status", cloud.say("cottage", status="online", backlog=7, version="0.1.0"))
        return cloud

    def account(self, command):
        """As who may change rights, or as who may read them."""
        user, password = ("ann", self.homes.admin) if " add " in command or " revoke " in command else ("hearth-cloud", self.homes.password)
        return {"MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(self.homes.port), "MQTT_USERNAME": user, "MQTT_PASSWORD_FILE": str(password)}

    def ask_homes(self, command):
        result = shell(command, self.account(command), cwd=self.homes.directory)
        said = {"add": "may come in", "revoke": "is out", "list": "cottage", "--metrics": "hearth_homes_backlog_readings 7"}
        return result.returncode == 0 and said[next(word for word in reversed(command.split()) if word in said)] in result.stdout

    def serve_homes(self, command):
        port = free_port()
        words = [f"{PROGRAMS}/{command.split()[0]}", *command.split()[1:]]
        service = Process(words, self.directory / "homes.log", {**self.account(command), "HTTP_PORT": str(port)})

        def shows(path, text):
            return comes(lambda: text in urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read().decode(), 30)
        found = [shows(path, text) for path, text in (("/readyz", "ready"), ("/", "cottage"), ("/homes.json", "cottage"), ("/metrics", "hearth_homes"))]
        service.signal(signal.SIGTERM)
        return all(found) and service.child.wait(15) == 0

    # MARK: InfluxDB 2

    def tokens(self, command):
        place = self.place("tokens")
        url = f"http://127.0.0.1:{start_server(Influx2).server_address[1]}"
        result = shell(command.replace("DIRECTORY", shlex.quote(str(place))), {
            "EVENT_LOG": "journal", "INFLUX_URL": url, "INFLUX_API": "v2", "INFLUX_TOKEN": "operator", "SETUP_WAIT": "5"})
        files = {path.name: path.stat().st_mode & 0o777 for path in place.iterdir()}
        names = {f"{service}.token": 0o600 for service in ("save-raw", "clean", "aggregate", "serve")}
        writes = all(permission["action"] == "write" for permissions in Influx2.made for permission in permissions)
        return result.returncode == 0 and files == names and writes and sorted(map(len, Influx2.made)) == [1, 1, 1, 3]

    def influx_command(self, command):
        programs = self.directory / "influx-bin"
        programs.mkdir(exist_ok=True)
        (programs / "influx").write_text(INFLUX)
        (programs / "influx").chmod(0o755)
        result = shell(command, {"PATH": f"{programs}:{os.environ['PATH']}"})
        return result.returncode == 0 and result.stdout.startswith('raw _measurement="raw_temperature"')
