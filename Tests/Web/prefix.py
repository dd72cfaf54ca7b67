"""A reverse proxy that serves the page below a path, as Home Assistant's ingress and many a household's nginx do."""

import http.client
import http.server
import threading

from House.box import wait


def proxy(rig, prefix):
    """A server that passes what is below `prefix` on, streams included, and answers 404 to everything else."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def pass_on(self):
            if not self.path.startswith(prefix):
                return self.send_error(404)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            upstream = http.client.HTTPConnection("127.0.0.1", rig.web, timeout=30)
            upstream.request(self.command, "/" + self.path[len(prefix):], body or None, dict(self.headers))
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            try:
                while chunk := answer.read1(65536):
                    self.wfile.write(chunk)
                    self.wfile.flush()
            except OSError:
                pass
            upstream.close()

        do_GET = do_POST = pass_on

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def works(browser, rig, card):
    server = proxy(rig, "/hearth/")
    base = f"http://127.0.0.1:{server.server_port}/hearth/"
    try:
        browser.open("about:blank")  # what the page before still asks for is not this one's
        browser.events.clear()
        browser.open(base)
        wait(10, lambda: browser.evaluate("document.querySelectorAll('.chart .curve').length") >= 4, "rooms and charts")
        assert browser.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") != "0px", "no style sheet"
        rig.reading("den", 22)
        wait(5, lambda: browser.evaluate(card("den", "1")), "the den is there")
        browser.evaluate(card("den", "card.querySelector('[data-pump=on]').click()"))
        wait(5, lambda: "Switched on" in browser.evaluate(card("den", "card.querySelector('.override-state').textContent")),
             "an override through the proxy")
        browser.evaluate(card("den", "card.querySelector('[data-pump=auto]').click()"))
        wait(5, lambda: browser.evaluate("fetch(document.querySelector('footer a').href).then((answer) => answer.status)") == 200,
             "the link to the metrics")
        outside = [url for url in browser.requests() if not url.startswith(base)]
        assert not outside, outside
        assert not browser.problems(), browser.problems()
    finally:
        browser.open(rig.url + "/")
        wait(10, lambda: browser.evaluate("document.body.dataset.state") == "live", "back at its own address")
        server.shutdown()
        browser.events.clear()
