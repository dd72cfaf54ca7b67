"""The cloud breaks: the database in every way it can answer, services and brokers killed."""

import gzip
import http.client
import http.server
import random
import socket
import threading
import time

from House.kafka import mock_cluster
from House.processes import free_port, wait_for
from scenarios import chain, finish, flowing, scenario

ANSWERS = ["401", "403", "404", "408", "413", "429", "500", "502", "503", "hang", "cut-before", "cut-after",
           "garbage-after", "slow", "partial-body"]


class Faulty(http.server.ThreadingHTTPServer):
    """Stands before InfluxDB and answers as `mode` says; "pass" passes everything on.

    Nothing here may tell the writer that a point is bad for ever (400): that point would rightly be dead-lettered."""

    daemon_threads = True

    def __init__(self, upstream):
        self.upstream, self.mode, self.counts = upstream, "pass", {}
        super().__init__(("127.0.0.1", free_port()), Answer)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # connections that were cut, by design


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.forward(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = self.server.mode
        if mode == "any":
            mode = random.choice(ANSWERS + ["pass"] * 5)
        if mode == "413" and len(lines(body, self.headers)) <= 1:
            mode = "pass"  # a single point that is too large is bad for ever
        self.server.counts[mode] = self.server.counts.get(mode, 0) + 1
        if mode == "pass":
            self.forward(body)
        elif mode.isdigit():
            self.refuse(int(mode))
        else:
            getattr(self, mode.replace("-", "_"))(body)

    def upstream(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=20)
        headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-encoding", "content-type")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def forward(self, body):
        try:
            status, text = self.upstream(body)
        except OSError:
            self.close_connection = True
            return
        self.reply(status, text)

    def reply(self, status, text, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status):
        self.reply(status, b'{"error":"made up"}', **({"Retry_After": "1"} if status in (429, 503) else {}))

    def hang(self, _):
        time.sleep(3)
        self.close_connection = True

    def cut_before(self, _):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def cut_after(self, body):
        self.upstream(body)
        self.cut_before(body)

    def garbage_after(self, body):
        self.upstream(body)
        self.wfile.write(b"\x00\x01not http at all\r\n\r\n")
        self.close_connection = True

    def slow(self, body):
        status, text = self.upstream(body)
        for byte in f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text:
            self.wfile.write(bytes([byte]))
            time.sleep(0.01)

    def partial_body(self, body):
        self.upstream(body)
        self.wfile.write(b"HTTP/1.1 204 No Content\r\nX-")
        self.close_connection = True


def lines(body, headers):
    text = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
    return text.strip().split(b"\n")


@scenario("influxdb-answers", "InfluxDB answers 401 to 503, hangs, cuts before or after storing, talks nonsense")
def influx_answers(run):
    proxy = Faulty(0)
    with chain(run, influx_port=proxy.port) as rig:
        proxy.upstream = rig.influx.port
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        for mode in ANSWERS * run.pick(1, 3):
            proxy.mode = mode
            before = sum(proxy.counts.values())
            wait_for(lambda b=before: sum(proxy.counts.values()) > b, 90, f"a write meets '{mode}'")
            time.sleep(run.pick(0.2, 3))
            proxy.mode = "pass"
            flowing(home, 20)
        proxy.mode = "any"
        time.sleep(run.pick(3, 60))
        proxy.mode = "pass"
        return finish(rig, 180, answers=sum(proxy.counts.values()))


@scenario("influxdb-killed", "influxd is killed every second")
def influx_killed(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        kills = run.pick(5, 40)
        for _ in range(kills):
            time.sleep(run.random.uniform(0.2, 1))
            rig.influx.kill()
            time.sleep(run.random.uniform(0, 1))
            rig.influx.start()
        return finish(rig, kills=kills)


@scenario("pipelines-killed-with-points-waiting", "the database is away, and the pipelines die with what they hold for it")
def pipelines_killed(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        kills = run.pick(4, 40)

        def stored():
            return sum(len(points) for points in rig.influx.points("temperature_clean", ["value"], "clean").values())
        for _ in range(kills):
            # The pipelines have begun: a kill before that proves nothing.
            least = stored() + 20
            wait_for(lambda: stored() >= least, 30, "points flow")
            rig.influx.kill()
            flowing(home, 60)
            time.sleep(0.5)
            rig.kill("serve")
            rig.influx.start()
            rig.start("serve")
            time.sleep(0.3)
        return finish(rig, kills=kills)


def kill_anything(run, rig, seconds):
    """kill -9 of gateways, services, brokers and the database, at random."""
    kills = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(run.random.uniform(0.2, 1.2))
        what = run.random.choice(["gateway", "service", "broker", "database"])
        if what == "gateway":
            run.random.choice(rig.homes).restart()
        elif what == "service":
            name = run.random.choice(rig.service_names)
            rig.kill(name)
            time.sleep(run.random.uniform(0, 0.5))
            rig.start(name)
        elif what == "broker":
            rig.broker.kill()
            time.sleep(run.random.uniform(0, 0.5))
            rig.broker.start()
        else:
            rig.influx.kill()
            rig.influx.start()
        kills[what] = kills.get(what, 0) + 1
    return kills


@scenario("anything-killed-journal", "kill -9 of anything, embedded event log, three homes")
def killed_journal(run):
    with chain(run, homes=3) as rig:
        for number, home in enumerate(rig.homes):
            home.feed(rate=60, seed=run.seed + 1000 * number)
        kills = kill_anything(run, rig, run.pick(15, 300))
        return finish(rig, 180, **kills)


@scenario("anything-killed-kafka", "the same on Kafka's protocol (librdkafka's mock cluster), four services")
def killed_kafka(run):
    with chain(run, mock_cluster(run), homes=3) as rig:
        for number, home in enumerate(rig.homes):
            home.feed(rate=60, seed=run.seed + 1000 * number)
        kills = kill_anything(run, rig, run.pick(12, 300))
        return finish(rig, 180, **kills)
