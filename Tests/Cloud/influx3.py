"""A strict double of InfluxDB 3, which no package has."""

import gzip
import http.server
import json
import re
import urllib.parse

from cloud import COUNT, Cloud
from House.checks import check, not_run
from House.processes import comes
from servers import start_server


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

    check("v3: every reading is a point", comes(lambda: count("raw", "raw_temperature") == COUNT, 60), str(count("raw", "raw_temperature")))
    check("v3: every clean one too", comes(lambda: count("clean", "temperature_clean") == COUNT * 9 // 10, 60))
    check("v3: nothing was asked that is not documented", double.refused == [], str(double.refused[:3]))
    cloud.stop()
    not_run("a real InfluxDB 3", "no package has one; the double is made after its documentation")
