#!/usr/bin/env python3
"""`hearth-cloud homes serve` at a real Mosquitto: ten thousand retained statuses as a page, as JSON and as metrics within a second,
names that want to be markup, a broker that goes and comes back without its memory, a user without the right. Called by
scripts/test-kubernetes. HEARTH_BIN_DIR names the programs."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from homes import FILL, MANY, PROGRAM, Cloud
from House.brokers import FleetingBroker, security_plugin
from House.checks import check, end, not_run
from House.processes import comes, free_port

HOSTILE = ["<img src=x onerror=alert(1)>", "\"'>&amp;<b>", "\u202eevil", "https:evil", "home 1?x=y&z", "a" * 200]


class Broker(FleetingBroker):
    def say(self, home, status):
        """Retained; None deletes it."""
        message = ["-n"] if status is None else ["-m", json.dumps(status)]
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-q", "1", "-r", "-t", f"{home}/gateway/status", *message], check=True)


class Page:
    def __init__(self, port, *arguments, log):
        self.port = free_port()
        self.process = subprocess.Popen(
            [PROGRAM, "homes", "serve", "--mqtt-port", str(port), "--http-port", str(self.port), "--log-level", "warning", *arguments],
            stdout=subprocess.DEVNULL, stderr=log.open("w"))

    def get(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()
        except OSError as error:
            return 0, {}, str(error)

    def wait(self, title, holds, seconds=20):
        check(title, comes(holds, seconds), str(self.get("/readyz")))

    def is_ready(self):
        return self.get("/readyz")[0] == 200

    def homes(self):
        return json.loads(self.get("/homes.json")[2])["homes"]

    def timed(self, path):
        """The text, and the shortest of three times."""
        seconds = []
        for _ in range(3):
            began = time.monotonic()
            text = self.get(path)[2]
            seconds.append(time.monotonic() - began)
        return text, min(seconds)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=20)


def check_many(page):
    count = MANY + len(HOSTILE)
    for path in ("/", "/homes.json", "/metrics"):
        text, seconds = page.timed(path)
        check(f"{path} of {MANY} homes in a second: {seconds:.2f} s, {len(text) / 1e6:.1f} MB", seconds < 1)
    html = page.get("/")[2]
    check("every home has a row", html.count("<tr") == count + 1, str(html.count("<tr")))
    check("it counts them", f"{count} homes, {MANY // 10} offline" in html, html[:1500])
    check("it leads to each home's dashboard", 'href="https://grafana.example.org/x/d/hearth-home?var-home=home5"' in html)
    homes = page.homes()
    check("the JSON has them, the urgent ones first", len(homes) == count and homes[0]["status"] == "offline"
          and homes[-1]["status"] == "online", str(homes[:1]))
    metrics = page.get("/metrics")[2]
    check("the metrics count them", f'hearth_homes{{state="offline"}} {MANY // 10}' in metrics
          and f'hearth_homes_finding{{finding="disk-low"}} {len(HOSTILE)}' in metrics
          and f'hearth_homes_finding{{finding="other"}} {len(HOSTILE)}' in metrics, metrics)
    check("and have no series of a home", len(metrics.splitlines()) < 30 and "home5" not in metrics, str(len(metrics.splitlines())))


def check_hostile(page):
    status, headers, html = page.get("/")
    check("nothing of a gateway's is markup", not any(text in html for text in ("<img", "<b>", "<script", "&amp;<", "'>&")), html[:300])
    check("and all of it is there", "&lt;img src=x onerror=alert(1)&gt;" in html and "&lt;script&gt;v&lt;/script&gt;" in html)
    check("the page may fetch and run nothing", "default-src 'none'" in headers["content-security-policy"]
          and headers["x-content-type-options"] == "nosniff"
          and not any(word in html for word in ("<link", "<iframe", "url(", "@import", "<form")))
    check("a link's home is encoded", "var-home=home%201%3Fx%3Dy%26z" in html and "var-home=https%3Aevil" in html)
    names = {home["home"] for home in page.homes()}
    check("the JSON has the names as they are", set(HOSTILE) <= names, str(set(HOSTILE) - names))
    check("other paths are not there", page.get("/x")[0] == 404 and page.get("/", "POST")[0] == 405)


def check_live(broker, page):
    broker.say("home5", {"status": "online", "backlog": 12345, "version": "9", "alarms": ["sensor-silent"]})
    page.wait("a new status is shown", lambda: "12345" in page.get("/")[2])
    home = next(home for home in page.homes() if home["home"] == "home5")
    check("with what it says", home["backlog"] == 12345 and home["findings"] == ["sensor-silent"] and home["age"] < 30
          and home["silent"] is False, str(home))
    broker.say("home5", None)
    page.wait("who is deleted is gone", lambda: all(home["home"] != "home5" for home in page.homes()))


def check_broker_away(broker, page):
    broker.stop()
    page.wait("without its broker it is not ready", lambda: page.get("/readyz")[0] == 503)
    check("and says why", "cloud broker" in page.get("/readyz")[2], page.get("/readyz")[2])
    status, _, html = page.get("/")
    check("the page shows what was known, and that it is old", status == 200 and "role=alert>cloud broker" in html and "home7" in html)
    check("it is healthy all the same", page.get("/healthz")[0] == 200)
    broker.start()
    broker.say("home1", {"status": "online", "backlog": 0, "version": "0.1.0"})
    page.wait("it is ready when its broker is back", page.is_ready, 30)
    page.wait("and shows what that keeps, no more", lambda: [home["home"] for home in page.homes()] == ["home1"])


def check_right(directory):
    """A home's user may not read the others' statuses."""
    cloud = Cloud(directory, security_plugin())
    pages = []
    try:
        cloud.homes("add", "cottage")
        for user, file in (("cottage", directory / "cottage.password"), ("hearth-cloud", cloud.password)):
            pages.append(Page(cloud.port, "--mqtt-username", user, "--mqtt-password-file", str(file), log=directory / f"{user}.log"))
        pages[0].wait("without the right it is not ready, and says what it lacks",
                      lambda: "does not let this user subscribe" in pages[0].get("/readyz")[2])
        pages[1].wait("hearth-cloud has the right", pages[1].is_ready)
    finally:
        for page in pages:
            page.stop()
        cloud.broker.end()


def main():
    if not os.access(PROGRAM, os.X_OK):
        return not_run("hearth-cloud homes serve", "HEARTH_BIN_DIR names no programs")
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        broker = Broker(str(directory), "plain")
        subprocess.run([sys.executable, "-c", FILL, str(broker.port), str(MANY)], check=True)
        for home in HOSTILE:
            broker.say(home, {"status": "online", "version": "<script>v</script>", "alarms": ["disk-low", {"name": "<b>x"}]})
        began = time.monotonic()
        page = Page(broker.port, "--grafana-url", "https://grafana.example.org/x/", log=directory / "page.log")
        try:
            page.wait("it is ready", page.is_ready)
            print(f"        after {time.monotonic() - began:.2f} s")
            check_many(page)
            check_hostile(page)
            check_live(broker, page)
            check_broker_away(broker, page)
        finally:
            check("it ends in good order", page.stop() == 0, (directory / "page.log").read_text()[-500:])
            broker.stop()
    if security_plugin():
        with tempfile.TemporaryDirectory() as name:
            check_right(pathlib.Path(name))
    else:
        not_run("a user without the right", "Mosquitto's dynamic-security plugin is not here")
    return end("fleet")


if __name__ == "__main__":
    main()
