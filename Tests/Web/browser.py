"""A headless Chromium over its DevTools protocol: just what the page's checks need, without a browser driver."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request

import websocket  # Debian: python3-websocket

from House.box import wait
from House.processes import popen


class Browser:
    """One browser process with one page."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.mkdtemp(prefix="hearth-chromium-")
        # Root has no sandbox, and only this machine's own page is opened. Without a graphics card each frame of an animation costs
        # the programs under test their processor.
        self.process = popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--disable-default-apps", "--hide-scrollbars", "--force-prefers-reduced-motion", "--remote-allow-origins=*", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = os.path.join(self.profile, "DevToolsActivePort")
        wait(30, lambda: os.path.exists(port_file) and open(port_file).read().count("\n") >= 1, "Chromium starts")
        self.port = open(port_file).read().split("\n")[0]
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list"))
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
        # Its check of UTF-8 is Python's own, a letter at a time, and a picture has up to a million.
        self.socket = websocket.create_connection(address, timeout=30, skip_utf8_validation=True)
        self.next = 0
        self.events = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **parameters):
        self.next += 1
        self.socket.send(json.dumps({"id": self.next, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.next:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        wait(15, lambda: self.evaluate("document.readyState") == "complete", f"{url} loads")

    def viewport(self, width, height, mobile=False, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=mobile)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def key(self, name, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            parameters = {"type": kind, "key": name, "code": code or name}
            parameters["windowsVirtualKeyCode"] = {"Tab": 9, "Enter": 13, " ": 32, "ArrowRight": 39}.get(name, 0)
            if text and kind == "keyDown":
                parameters["text"] = text
            self.call("Input.dispatchKeyEvent", **parameters)

    def screenshot(self, path, tallest=20000):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        image = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True, captureBeyondViewport=True,
                          clip={"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], tallest), "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))

    def problems(self):
        """Console errors and warnings, uncaught exceptions, failed requests and log entries so far."""
        self.evaluate("0")
        found = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                found.append(f"console: {parameters['args']}")
            elif method == "Runtime.exceptionThrown":
                found.append(f"exception: {parameters['exceptionDetails']}")
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(f"log: {parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        return found

    def requests(self):
        """Every address that was asked for so far."""
        self.evaluate("0")
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
