#!/usr/bin/env python3
"""hearth-cloud, started as an operator would, against the databases that it names: InfluxDB 1.x with users, behind a proxy with
TLS, an authority of its own and a path before the API's; VictoriaMetrics, a second server that speaks /api/v2/write; and a strict
double of InfluxDB 3, which no package has. Called by scripts/test-kubernetes. HEARTH_BIN_DIR names the programs."""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import urllib.parse
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from cloud import COUNT, NOW, PROGRAM, Cloud
from House.checks import check, end, not_run
from House.databases import Influx
from House.processes import Process, comes, free_port, listening, wait_for
from influx3 import check_influx3
from servers import certificates, proxy_to, start_server


def check_influx1(directory):
    """Users, own authority, path: INFLUX_USERNAME, INFLUX_PASSWORD_FILE, INFLUX_CA_FILE, INFLUX_URL with a path."""
    certificates(directory)
    influx, admin = Influx(directory, http="auth-enabled = true"), "admin:adminpass"
    influx.query("CREATE USER admin WITH PASSWORD 'adminpass' WITH ALL PRIVILEGES", user=admin)
    server = start_server(proxy_to(influx.port, "/databases/influx"), directory)
    url = f"https://127.0.0.1:{server.server_address[1]}/databases/influx"
    (directory / "password").write_text("adminpass\n")
    (directory / "wrong").write_text("guess\n")
    right = {"INFLUX_API": "v1", "INFLUX_URL": url, "INFLUX_CA_FILE": str(directory / "ca.crt"), "INFLUX_USERNAME": "admin",
             "INFLUX_PASSWORD_FILE": str(directory / "password")}
    for what, change, says in (
            ("without the authority", {"INFLUX_CA_FILE": ""}, "certificate"),
            ("with a wrong password", {"INFLUX_PASSWORD_FILE": str(directory / "wrong")}, "authorization failed"),
            ("without the user", {"INFLUX_USERNAME": "", "INFLUX_PASSWORD_FILE": ""}, "authentication credentials"),
            ("with a user and no password", {"INFLUX_PASSWORD_FILE": ""}, "go together"),
            ("without the path", {"INFLUX_URL": url.replace("/databases/influx", "")}, "not below the prefix"),
            ("with a file that is not there", {"INFLUX_CA_FILE": "/nowhere"}, "INFLUX_CA_FILE")):
        cloud = Cloud(directory, **{**right, **change})
        result = cloud.setup()
        check(f"v1: setup {what} fails and says why", result.returncode != 0 and says in result.stderr, result.stderr[-400:])
        cloud.stop()
    cloud = Cloud(directory, **right)
    result = cloud.setup()
    check("v1: setup makes the databases", result.returncode == 0, result.stderr)
    # A user with no more than the right to write, for the services.
    for statement in ("CREATE USER writer WITH PASSWORD 'writerpass'", *[f"GRANT WRITE ON {d} TO writer" for d in
                                                                         ("raw", "clean", "aggregate")]):
        influx.query(statement, user=admin)
    (directory / "writer").write_text("writerpass\n")
    cloud.environment.update(INFLUX_USERNAME="writer", INFLUX_PASSWORD_FILE=str(directory / "writer"))
    cloud.start()
    cloud.feed()

    def count(database, measurement):
        return influx.count(database, measurement, user=admin)

    check("v1: every reading is a point", comes(lambda: count("raw", "raw_temperature") == COUNT), str(count("raw", "raw_temperature")))
    check("v1: every clean one too", comes(lambda: count("clean", "temperature_clean") == COUNT * 9 // 10))
    cloud.stop()
    influx.end()


def check_victoria(directory):
    """A server of another make, for the wire of /api/v2/write: it has no organisations, buckets or nanoseconds."""
    program = shutil.which("victoria-metrics")
    if not program:
        return not_run("VictoriaMetrics", "Debian's package victoria-metrics is not installed")
    port = free_port()
    process = Process([program, f"-storageDataPath={directory}/vm", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1y",
                       "-search.latencyOffset=0s"], directory / "victoria.log")
    wait_for(lambda: listening(port), 30, "VictoriaMetrics listens")
    cloud = Cloud(directory, INFLUX_API="v2", INFLUX_URL=f"http://127.0.0.1:{port}", INFLUX_TOKEN="unused")
    cloud.start()
    cloud.feed()

    def values(measurement):
        query = urllib.parse.urlencode({"match[]": f"{measurement}_value", "start": NOW - 10, "end": NOW + COUNT + 10})
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/export?{query}", timeout=30).read().decode()
        series = [json.loads(line) for line in answer.splitlines()]
        return [(s["metric"].get("home"), s["metric"].get("room"), t, v) for s in series for t, v in zip(s["timestamps"], s["values"])]

    expected = {("home1", "office", (NOW + n) * 1000, 100 if n % 10 == 0 else 20 + n / 1000) for n in range(COUNT)}
    check("VictoriaMetrics: every reading, with its tags, time and value",
          comes(lambda: set(values("raw_temperature")) == expected, 60), f"{len(values('raw_temperature'))} of {COUNT}")
    check("VictoriaMetrics: every clean one",
          comes(lambda: set(values("temperature_clean")) == {e for e in expected if e[3] != 100}, 60))
    cloud.stop()
    return process.end()


def main():
    if not os.access(PROGRAM, os.X_OK):
        return not_run("databases of other kinds", "HEARTH_BIN_DIR names no programs")
    for part in (check_influx1, check_victoria, check_influx3):
        with tempfile.TemporaryDirectory() as name:
            part(pathlib.Path(name))
    return end("databases")


if __name__ == "__main__":
    main()
