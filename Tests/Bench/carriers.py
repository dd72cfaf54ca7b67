"""What takes readings from a home to a cloud broker, in one shape: Hearth, Mosquitto's bridge, a direct bridge in Python, the
ThingsBoard gateway; and the site around it."""

import json
import os
import re
import shutil
import subprocess

from House.brokers import MOSQUITTO, Broker
from House.cloud import settings
from House.databases import Influx
from House.gateway import Gateway
from House.processes import Process, free_port, listening
from House.proxy import Proxy

VALUE = re.compile(rb"20\.\d+")
HERE = os.path.dirname(os.path.abspath(__file__))


def values(data):
    """The numbered readings in it; some carriers drop the last zeros."""
    return [v.rstrip(b"0") for v in VALUE.findall(data)]


class Site:
    """A home broker, a proxy in front of what carries its readings, a link, and a cloud broker with a subscriber."""

    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.home, self.cloud = Broker(directory, "home"), Broker(directory, "cloud")
        self.wire, self.link = Proxy(self.home.port), Proxy(self.cloud.port)
        self.subscriber = None

    def subscribe(self):
        self.subscriber = Process(["mosquitto_sub", "-p", str(self.cloud.port), "-q", "1", "-c", "-i", "recorder", "-V", "mqttv311",
                                   "-t", "home1/+/temperature", "-t", "v1/gateway/telemetry", "-F", "%p"],
                                  self.directory + "/arrived")

    def arrived(self):
        with open(self.directory + "/arrived", "rb") as f:
            return values(f.read())

    def feed(self, port, count, rate):
        return Process([f"{self.options.programs}/hearth-sim", "load", "--port", str(port), "--rooms", "1", "--count", str(count),
                        "--rate", str(rate), "--first", "1", "--reliable", "--json"], self.directory + "/feeder.log")

    def close(self):
        for proxy in (self.wire, self.link):
            proxy.close()
        for process in (self.home.process, self.cloud.process, self.subscriber):
            if process:
                process.end()


class Peer:
    """Something that carries readings; `store` is where it keeps what it must not lose."""

    name = note = ""

    def __init__(self, site, store):
        self.site, self.store, self.process = site, store, None
        self.prepare()

    def prepare(self):
        pass

    def command(self):
        raise NotImplementedError

    environment = {}

    def start(self):
        self.process = Process(self.command(), self.site.directory + "/peer.log", self.environment)

    def kill(self):
        if self.process:
            self.process.end()

    def restart(self):
        self.kill()
        self.start()

    @property
    def feed_port(self):
        return self.site.home.port

    def is_ready(self):
        return self.site.wire.connections > 0

    def acknowledged(self):
        return {v for m in self.site.wire.snapshot("acknowledged") for v in values(m.payload)}

    def arrived(self):
        return self.site.arrived()

    def listen(self):
        self.site.subscribe()

    def deafen(self):
        """The receiver goes away, and the broker keeps what it gets for it."""
        self.site.subscriber.kill()

    def close(self):
        self.kill()


class Hearth(Peer):
    name, note = "hearthd", "as packaged"

    def prepare(self):
        self.influx = Influx(self.site.directory)
        # Only its configuration; a peer is started and killed like the others.
        self.gateway = Gateway(self.site.options.programs, self.site.directory, self.site.wire.port, self.site.link.port,
                               "[thermostat]\nenabled = false\n", journal=self.store + "/journal.sqlite", max_size="512MiB")
        self.cloud = settings(self.site.directory, self.site.cloud.port, self.influx.port)
        subprocess.run([f"{self.site.options.programs}/hearth-cloud", "setup"], check=True, capture_output=True,
                       env={**os.environ, **self.cloud})

    def command(self):
        return [self.gateway.program("hearthd"), "--config", self.gateway.configuration]

    def listen(self):
        self.serve = Process([f"{self.site.options.programs}/hearth-cloud", "serve"], self.site.directory + "/serve.log", self.cloud)

    def deafen(self):
        self.serve.kill()

    def arrived(self):
        points = self.influx.points("raw_temperature", ["value"], "raw").get("home1", {})
        return [(b"%.9f" % v).rstrip(b"0") for v in points.values()]

    def close(self):
        self.kill()
        self.serve.kill()
        self.influx.kill()


class Bridge(Peer):
    name, note, durable = "Mosquitto bridge", "default", ""

    def prepare(self):
        self.port = free_port()
        self.config = self.site.directory + "/bridge.conf"
        self.front = Proxy(self.port)
        with open(self.config, "w") as f:
            f.write(f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nconnection up\n"
                    f"address 127.0.0.1:{self.site.link.port}\ntopic # out 1 \"\" home1/\ncleansession false\nrestart_timeout 1\n"
                    + self.durable.format(self.store))

    def command(self):
        return [MOSQUITTO, "-c", self.config]

    @property
    def feed_port(self):
        return self.front.port

    def is_ready(self):
        return listening(self.port)

    def acknowledged(self):
        return {v for m in self.front.snapshot("confirmed") for v in values(m.payload)}

    def close(self):
        self.kill()
        self.front.close()


class DurableBridge(Bridge):
    note = "autosave_on_changes, no limits"
    durable = ("persistence true\npersistence_location {}/\nautosave_interval 1\nautosave_on_changes true\n"
               "max_queued_messages 0\nmax_inflight_messages 1000\n")


class Direct(Peer):
    name, note = "paho bridge", "one publication per message"

    def command(self):
        return [self.site.options.python, f"{HERE}/bridge.py", str(self.site.wire.port), str(self.site.link.port)]


class ThingsBoard(Peer):
    name, note, storage = "ThingsBoard gateway", "file storage", {"type": "file", "max_records_per_file": 10000}

    def prepare(self):
        self.environment = {"TB_GW_CONFIG_DIR": self.site.directory + "/tb/", "TB_GW_LOGS_PATH": self.site.directory}
        os.makedirs(self.site.directory + "/tb")
        os.makedirs(self.store + "/data", exist_ok=True)
        general = {"thingsboard": {"host": "127.0.0.1", "port": self.site.link.port, "remoteShell": False,
                                   "remoteConfiguration": False, "qos": 1, "minPackSendDelayMS": 50, "minPackSizeToSend": 500,
                                   "security": {"type": "accessToken", "accessToken": "home1"},
                                   "rateLimits": "0:0,", "dpRateLimits": "0:0,", "messagesRateLimits": "0:0,",
                                   "deviceMessagesRateLimits": "0:0,", "deviceRateLimits": "0:0,", "deviceDpRateLimits": "0:0,",
                                   "statistics": {"enable": False}},
                   "storage": {"read_records_count": 100, "data_folder_path": self.store + "/data/", "max_file_count": 100,
                               "max_read_records_count": 100, "data_file_path": self.store + "/data/data.db",
                               "messages_ttl_check_in_hours": 1, "messages_ttl_in_days": 7, **self.storage},
                   "grpc": {"enabled": False}, "connectors": [{"type": "mqtt", "name": "home", "configuration": "mqtt.json"}]}
        device = {"deviceNameExpressionSource": "constant", "deviceNameExpression": "room1",
                  "deviceProfileExpressionSource": "constant", "deviceProfileExpression": "default"}
        connector = {"broker": {"host": "127.0.0.1", "port": self.site.wire.port, "clientId": "tb-gateway", "version": 5,
                                "maxMessageNumberPerWorker": 10, "maxNumberOfWorkers": 100, "cleanSession": False, "cleanStart": False,
                                "sessionExpiryInterval": 86400, "security": {"type": "anonymous"}},
                     "mapping": [{"topicFilter": "+/temperature", "subscriptionQos": 1,
                                  "converter": {"type": "json", "deviceInfo": device, "sendDataOnlyOnChange": False, "timeout": 60000,
                                                "attributes": [],
                                                "timeseries": [{"type": "string", "key": "temperature", "value": "${value}"}]}}]}
        shutil.copy(self.site.options.thingsboard + "/config/logs.json", self.site.directory + "/tb/logs.json")
        for name, content in (("tb_gateway.json", general), ("mqtt.json", connector)):
            with open(f"{self.site.directory}/tb/{name}", "w") as f:
                json.dump(content, f)

    def listen(self):
        """Its platform answers one question, without which it sends nothing."""
        super().listen()
        self.platform = Process([self.site.options.python, f"{HERE}/platform_limits.py", str(self.site.cloud.port)],
                                self.site.directory + "/platform.log")

    def deafen(self):
        super().deafen()
        self.platform.kill()

    def close(self):
        super().close()
        self.platform.kill()

    def command(self):
        # Its log files go to the directory it is started in.
        return ["sh", "-c", f"cd {self.site.directory}/tb && exec {os.path.dirname(self.site.options.python)}/thingsboard-gateway"]


class ThingsBoardSQLite(ThingsBoard):
    note, storage = "SQLite storage", {"type": "sqlite"}


PEERS = [Hearth, Bridge, DurableBridge, Direct, ThingsBoard, ThingsBoardSQLite]
