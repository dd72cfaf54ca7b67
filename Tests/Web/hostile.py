"""What somebody who means harm may try: names, other sites, paths, slow clients."""

import base64
import http.server
import json
import socket
import struct
import subprocess
import threading
import time

from House.box import wait
from House.processes import free_port, listening

# A slash ends a topic level, so no closing tag can come that way; everything else can.
NAMES = [
    "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    '"} 1 hearth_evil_total 2',
    "a,room=b value=1 \\",
    "x\u202egnp.exe",
    "x${window.pwned=1}{{7*7}}",
    "l" + "o" * 120 + "ng",
]


def names(browser, rig, card):
    for name in NAMES:
        rig.reading(name, 21)
    for name in NAMES:
        wait(10, lambda: browser.evaluate(card(name, "card.querySelector('.value').textContent")) == "21.0", repr(name))
    assert browser.evaluate("window.pwned === undefined && document.querySelectorAll('.card img, .card script').length === 0")
    shown = browser.evaluate(card(NAMES[0], "card.querySelector('.name').textContent"))
    assert shown == NAMES[0], shown
    reordered = browser.evaluate(card(NAMES[4], "card.querySelector('.name').textContent"))
    assert "\u202e" not in reordered and "202e" in reordered, reordered
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "a long name widens the page"
    # Each of the names is one label, and the terminal and the logs see no character that steers them.
    metrics = rig.get("/metrics")[2]
    assert not any(line.startswith("hearth_evil") for line in metrics.split("\n"))
    assert metrics.count("hearth_room_temperature_celsius{") >= len(NAMES)
    for command in (["status"], ["why", NAMES[4]], ["watch", "--help"]):
        code, said = rig.hearth(*command)
        assert code == 0 and "\u202e" not in said and "\x1b" not in said, (command, said)
    code, said = rig.hearth("override", NAMES[0], "on", "--for", "1m")
    assert code == 0, said
    for log in ("hearthd", "hearth-web"):
        assert "\u202e" not in rig.log(log), log
    problems = browser.problems()
    assert not problems, problems


def other_site(browser, rig):
    """A page of another origin tries a form, a fetch, an image, a frame; and a name that points here."""
    page = f"""<!doctype html><title>attack</title><body><script>
      window.done = (async () => {{
        const results = [];
        const target = "{rig.url}/override", body = JSON.stringify({{room: "attic", pump: "on", seconds: 3600}});
        for (const type of ["text/plain", "application/json"]) {{
          try {{ const r = await fetch(target, {{method: "POST", mode: type === "text/plain" ? "no-cors" : "cors",
            headers: {{"content-type": type}}, body}}); results.push(r.type); }} catch (e) {{ results.push("blocked"); }}
        }}
        try {{ const r = await fetch("{rig.url}/"); results.push("read " + (await r.text()).length); }}
        catch (e) {{ results.push("unreadable"); }}
        const form = document.createElement("form"), frame = document.createElement("iframe");
        frame.name = "sink"; form.target = "sink"; form.method = "post"; form.action = target; form.enctype = "text/plain";
        const input = document.createElement("input"); input.name = '{{"room":"attic","pump":"on","x":"'; input.value = '"}}';
        form.append(input); document.body.append(frame, form); form.submit();
        await new Promise((done) => setTimeout(done, 700));
        return results;
      }})();</script>"""

    class Attack(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Attack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        before = rig.log("hearthd").count("override")
        rig.reading("attic", 22)
        browser.open(f"http://127.0.0.1:{server.server_port}/")
        results = browser.evaluate("window.done")
        assert results[1:] == ["blocked", "unreadable"], results
    finally:
        server.shutdown()
        browser.open(rig.url + "/")
        browser.events.clear()  # refused requests of the attack are reported by the browser, and shall be
    body = json.dumps({"room": "attic", "pump": "on"}).encode()
    host = {"Host": f"127.0.0.1:{rig.web}"}
    origin = {"Origin": f"http://127.0.0.1:{rig.web}"}
    kind = {"Content-Type": "application/json"}
    token = rig.get("/")[2].split('hearth-token" content="')[1].split('"')[0]
    proof = {"X-Hearth-Token": token}
    for status, headers in ((403, {**host, **origin, **kind}), (403, {**host, **kind, **proof}),
                            (403, {**host, **proof, **kind, "Origin": "http://evil.example"}),
                            (415, {**host, **origin, **proof, "Content-Type": "text/plain"}),
                            (421, {**origin, **proof, **kind, "Host": f"evil.example:{rig.web}"})):
        answer = rig.get("/override", "POST", headers, body)
        assert answer[0] == status, (status, headers, answer)
    assert rig.get("/", headers={"Host": "rebound.example"})[0] == 421
    assert rig.log("hearthd").count("override") == before, "an override got through"


def paths(rig):
    for path in ("/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                 "/app.js/../../../etc/passwd", "/..\\..\\etc\\passwd", "/page.css%00.html", "/static/../..", "/.env",
                 "http://evil.example/"):
        answer = rig.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(("HTTP/1.1 404", "HTTP/1.1 400")) and "root:" not in answer, (path, answer[:200])
    for request in (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n"):
        answer = rig.raw(request)
        assert "200 OK" not in answer, (request, answer[:200])


def slow_clients(rig):
    silent = []
    for number in range(300):
        connection = socket.create_connection(("127.0.0.1", rig.web), timeout=5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-%d: " % number)
        silent.append(connection)
    started = time.monotonic()
    for _ in range(20):
        assert rig.get("/healthz")[0] == 200
    taken = time.monotonic() - started
    assert taken < 3, f"20 answers took {taken:.1f} s beside 300 silent clients"
    for connection in silent:
        connection.close()
    # Connections that are reset at once, as port scanners do.
    for _ in range(500):
        connection = socket.create_connection(("127.0.0.1", rig.web), timeout=5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert rig.get("/healthz")[0] == 200
    # Headers without end are cut off early, and what they took is given back.
    flood = socket.create_connection(("127.0.0.1", rig.web), timeout=10)
    sent = 0
    try:
        flood.sendall(b"GET / HTTP/1.1\r\n")
        while sent < 64 << 20:
            flood.sendall(b"A: " + b"b" * 8000 + b"\r\n")
            sent += 8000
    except OSError:
        pass
    assert sent < 32 << 20, f"{sent} bytes of headers were taken"
    with open(f"/proc/{rig.processes['hearth-web'].pid}/status") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert resident < 120_000, f"{resident} kB resident"
    return f"20 answers in {taken:.2f} s beside 300 silent clients, {resident // 1024} MiB resident"


def password(rig):
    """Beyond this machine only with one, and then nothing without it."""
    secret, port = rig.file("password"), free_port()
    with open(secret, "w") as file:
        file.write("correct horse\n")
    refused = subprocess.run([rig.program("hearth-web"), "--listen", f"0.0.0.0:{port}"], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=10)
    assert refused.returncode == 78 and "--password-file" in refused.stderr, refused
    # Still on this machine only: nothing of a test is to be reached from elsewhere.
    rig.start("guarded", rig.program("hearth-web"), "--listen", f"127.0.0.1:{port}", "--socket", rig.socket,
              "--password-file", secret)
    wait(10, lambda: listening(port), "it listens")
    for path in ("/", "/events", "/metrics", "/history?span=day", "/app.js"):
        assert rig.get(path, port=port)[0] == 401, path
        wrong = {"Authorization": "Basic " + base64.b64encode(b"hearth:wrong horse").decode()}
        assert rig.get(path, headers=wrong, port=port)[0] == 401, path
    right = {"Authorization": "Basic " + base64.b64encode(b"hearth:correct horse").decode(), "Host": "box.example"}
    status, _, body = rig.get("/", headers=right, port=port)
    assert status == 200 and "<h1>" in body, status
    assert "correct horse" not in rig.log("guarded")
    rig.stop("guarded")
