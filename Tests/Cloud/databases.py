#!/usr/bin/env python3
"""hearth-cloud, started as an operator would, against the databases that it names: InfluxDB 1.x with users, behind a proxy with
TLS, an authority of its own and a path before the API's; VictoriaMetrics, a second server that speaks /api/v2/write; and a strict
double of InfluxDB 3, which no package has. Called by scripts/test-kubernetes. HEARTH_BIN_DIR names the programs."""

import base64
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = os.path.join(os.environ.get("HEARTH_BIN_DIR", ""), "hearth-cloud")
NOW = int(time.time()) - 600
COUNT = 200

failed = 0


def check(title, holds, detail=""):
    global failed
    failed += not holds
    print(f"{'ok     ' if holds else 'FAILED '} {title}{'' if holds else f': {detail}'}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Cloud:
    """A broker and `serve` with the given settings, fed with readings of one room."""

    def __init__(self, directory, **settings):
        self.directory = directory
        self.port, self.http = free_port(), free_port()
        (directory / "broker.conf").write_text(f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.broker = subprocess.Popen(["mosquitto", "-c", directory / "broker.conf"], stderr=subprocess.DEVNULL)
        self.environment = {**os.environ, "MQTT_PORT": str(self.port), "JOURNAL_PATH": str(directory / "events.sqlite"),
                            "HTTP_PORT": str(self.http), "LOG_LEVEL": "warning", "SETUP_WAIT": "0", **settings}
        self.serve = None

    def setup(self):
        return subprocess.run([PROGRAM, "setup"], env=self.environment, capture_output=True, text=True, timeout=60)

    def start(self):
        wait(lambda: listens(self.port))
        self.serve = subprocess.Popen([PROGRAM, "serve"], env=self.environment, stderr=open(self.directory / "serve.log", "w"))
        check("serve is ready", wait(self.is_ready, 60), (self.directory / "serve.log").read_text()[-1000:])

    def is_ready(self):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5).status == 200

    def feed(self):
        """Readings with times, a few of them sensor faults."""
        lines = [json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW + n)),
                             "value": 100 if n % 10 == 0 else 20 + n / 1000}) for n in range(COUNT)]
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-V", "5", "-q", "1", "-t",
                        "home1/office/temperature", "-l"], input="\n".join(lines), text=True, check=True, timeout=60)

    def stop(self):
        for process in (self.serve, self.broker):
            if process:
                process.terminate()
                process.wait(20)


def certificates(directory):
    """An authority, and a server's certificate of it."""
    script = """cd "$0"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=proxy
        echo subjectAltName=IP:127.0.0.1 >names
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt"""
    subprocess.run(["sh", "-ec", script, directory], check=True, capture_output=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # Clients that do not trust the certificate.


def start_server(handler, directory=None):
    server = Server(("127.0.0.1", 0), handler)
    if directory:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "server.crt", directory / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def proxy_to(port, prefix):
    """Takes the prefix away and passes on what is below it."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(prefix + "/"):
                return self.answer(404, b"not below the prefix", {})
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{self.path[len(prefix):]}", body or None, headers,
                                             method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return self.answer(answer.status, answer.read(), answer.headers)
            except urllib.error.HTTPError as error:
                return self.answer(error.code, error.read(), error.headers)

        def answer(self, status, body, headers):
            self.send_response(status)
            for name in ("Content-Type", "Content-Encoding", "X-Influxdb-Error"):
                if headers.get(name):
                    self.send_header(name, headers[name])
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        do_GET = do_POST = pass_on

        def log_message(self, *arguments):
            pass

    return Proxy


def influx1(directory):
    port, rpc = free_port(), free_port()
    (directory / "influxdb.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n[meta]\ndir = "{directory}/meta"\n[data]\n'
        f'dir = "{directory}/data"\nwal-dir = "{directory}/wal"\n[monitor]\nstore-enabled = false\n[http]\n'
        f'bind-address = "127.0.0.1:{port}"\nlog-enabled = false\nauth-enabled = true\n[logging]\nlevel = "error"\n')
    process = subprocess.Popen([shutil.which("influxd") or "/usr/bin/influxd", "-config", directory / "influxdb.conf"],
                               stderr=subprocess.DEVNULL)
    wait(lambda: listens(port))

    def query(statement, database="", user="admin:adminpass"):
        body = urllib.parse.urlencode({"q": statement, "db": database}).encode()
        token = base64.b64encode(user.encode()).decode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/query", body, {"Authorization": f"Basic {token}"})
        return json.load(urllib.request.urlopen(request, timeout=30))["results"][0]

    query("CREATE USER admin WITH PASSWORD 'adminpass' WITH ALL PRIVILEGES")
    return port, process, query


def check_influx1(directory):
    """Users, own authority, path: INFLUX_USERNAME, INFLUX_PASSWORD_FILE, INFLUX_CA_FILE, INFLUX_URL with a path."""
    certificates(directory)
    port, process, query = influx1(directory)
    server = start_server(proxy_to(port, "/databases/influx"), directory)
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
        query(statement)
    (directory / "writer").write_text("writerpass\n")
    cloud.environment.update(INFLUX_USERNAME="writer", INFLUX_PASSWORD_FILE=str(directory / "writer"))
    cloud.start()
    cloud.feed()

    def count(database, measurement):
        series = query(f"SELECT count(value) FROM {measurement}", database).get("series")
        return series[0]["values"][0][1] if series else 0

    check("v1: every reading is a point", wait(lambda: count("raw", "raw_temperature") == COUNT), str(count("raw", "raw_temperature")))
    check("v1: every clean one too", wait(lambda: count("clean", "temperature_clean") == COUNT * 9 // 10))
    cloud.stop()
    process.kill()
    process.wait()


def check_victoria(directory):
    """A server of another make, for the wire of /api/v2/write: it has no organisations, buckets or nanoseconds."""
    program = shutil.which("victoria-metrics")
    if not program:
        print("not run: VictoriaMetrics: Debian's package victoria-metrics is not installed")
        return
    port = free_port()
    process = subprocess.Popen([program, f"-storageDataPath={directory}/vm", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1y",
                                "-search.latencyOffset=0s"], stderr=subprocess.DEVNULL)
    wait(lambda: listens(port))
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
          wait(lambda: set(values("raw_temperature")) == expected, 60), f"{len(values('raw_temperature'))} of {COUNT}")
    check("VictoriaMetrics: every clean one",
          wait(lambda: set(values("temperature_clean")) == {e for e in expected if e[3] != 100}, 60))
    cloud.stop()
    process.kill()
    process.wait()


class Influx3:
    """What https://docs.influxdata.com/influxdb3/core/ says of writing and of databases, strictly."""

    TOKEN = "apiv3_secret"

    def __init__(self):
        self.databases, self.points, self.refused, self.retention = [], {}, [], {}
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, content=None):
                body = b"" if content is None else json.dumps(content).encode()
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                if self.headers.get("Authorization") != f"Bearer {double.TOKEN}":
                    return self.answer(401, {"error": "the request was not authenticated"})
                if url.path == "/ping":
                    return self.answer(200, {"version": "3.0"})
                if url.path == "/api/v3/configure/database":
                    return self.answer(*double.configure(self.command, query, body))
                if url.path == "/api/v3/write_lp" and self.command == "POST":
                    if self.headers.get("Content-Encoding") == "gzip":
                        body = gzip.decompress(body)
                    return self.answer(*double.write(query, body.decode()))
                double.refused.append(self.path)
                return self.answer(404, {"error": "not found"})

            do_GET = do_POST = handle_one

            def log_message(self, *arguments):
                pass

        self.server = start_server(Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def configure(self, method, query, body):
        if method == "GET":
            return (200, [{"iox::database": d} for d in self.databases]) if query == {"format": "json"} else (400, {"error": "format"})
        content = json.loads(body)
        if not set(content) <= {"db", "retention_period"} or content["db"] in self.databases:
            return 409 if content.get("db") in self.databases else 400, {"error": "refused"}
        self.databases.append(content["db"])
        self.retention[content["db"]] = content.get("retention_period")
        return 200, None

    def write(self, query, text):
        if query != {"db": query.get("db"), "precision": "nanosecond", "accept_partial": "true", "no_sync": "false"}:
            self.refused.append(str(query))
            return 400, {"error": "parameters"}
        if query["db"] not in self.databases:
            return 404, {"error": "the database does not exist"}
        wrong = []
        for number, line in enumerate(text.splitlines(), 1):
            match = re.fullmatch(r"(\w+),home=(\w+)(?:,room=(\w+))? (\S+) (\d{19})", line)
            if not match:
                wrong.append({"original_line": line, "line_number": number, "error_message": "could not parse"})
                continue
            self.points[query["db"], match[1], match[2], match[3], int(match[5])] = match[4]
        return (400, {"error": "partial write of line protocol occurred", "data": wrong}) if wrong else (204, None)


def check_influx3(directory):
    double = Influx3()
    (directory / "token").write_text(double.TOKEN + "\n")
    (directory / "wrong").write_text("apiv3_guess\n")
    right = {"INFLUX_API": "v3", "INFLUX_URL": double.url, "INFLUX_TOKEN_FILE": str(directory / "token"), "RETENTION": "8760h"}
    cloud = Cloud(directory, **{**right, "INFLUX_TOKEN_FILE": str(directory / "wrong")})
    result = cloud.setup()
    check("v3: setup with a wrong token fails and says why", result.returncode != 0 and "not authenticated" in result.stderr, result.stderr)
    cloud.stop()
    cloud = Cloud(directory, **right)
    result = cloud.setup()
    check("v3: setup makes the databases with their retention",
          result.returncode == 0 and double.retention == {"raw": "8760h", "clean": "8760h", "aggregate": "8760h"},
          result.stderr + str(double.retention))
    check("v3: and leaves them the second time", cloud.setup().returncode == 0 and len(double.databases) == 3)
    cloud.start()
    cloud.feed()

    def count(database, measurement):
        return sum(1 for key in list(double.points) if key[:2] == (database, measurement))

    check("v3: every reading is a point", wait(lambda: count("raw", "raw_temperature") == COUNT, 60), str(count("raw", "raw_temperature")))
    check("v3: every clean one too", wait(lambda: count("clean", "temperature_clean") == COUNT * 9 // 10, 60))
    check("v3: nothing was asked that is not documented", double.refused == [], str(double.refused[:3]))
    cloud.stop()
    print("not run: a real InfluxDB 3: no package has one; the double is made after its documentation")


def main():
    if not os.access(PROGRAM, os.X_OK):
        print("not run: databases of other kinds: HEARTH_BIN_DIR names no programs")
        return
    for part in (check_influx1, check_victoria, check_influx3):
        with tempfile.TemporaryDirectory() as name:
            part(pathlib.Path(name))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
