"""The whole chain of real programs: homes with their own brokers and gateways, a cloud broker, hearth-cloud on one of its
engines, and a real InfluxDB. Everything may be killed; what is measured is measured from outside."""

import os
import subprocess

from House.brokers import Broker
from House.cloud import settings
from House.databases import Influx
from House.home import Home
from House.processes import Process


class Rig:
    """- kafka: makes the peer that speaks Kafka's protocol in a directory, for four services; None for `serve` and its journal.
    - replicas: of each of the four."""

    def __init__(self, programs, directory, kafka=None, replicas=1, influx_port=None, broker_more="", influx_limits="",
                 influx_prepare=None):
        self.programs, self.directory, self.replicas = programs, directory, replicas
        os.makedirs(directory, exist_ok=True)
        self.broker = Broker(directory, "cloud", more=broker_more)
        self.influx = Influx(directory, influx_limits, influx_prepare)
        self.homes, self.services = [], {}
        self.aside = set()  # homes whose points the oracle does not judge
        self.environment = settings(directory, self.broker.port, influx_port or self.influx.port, KAFKA_SESSION_TIMEOUT="6")
        self.kafka = kafka(directory) if kafka else None
        if self.kafka:
            self.environment.update({"EVENT_LOG": "kafka", "KAFKA_HOST": self.kafka.servers, **self.kafka.environment})
        subprocess.run([self.program("hearth-cloud"), "setup"], check=True, capture_output=True, timeout=60,
                       env={**os.environ, **self.environment, **(self.kafka.setup if self.kafka else {}), "INFLUX_URL": self.influx.url})

    def program(self, name):
        return os.path.join(self.programs, name)

    @property
    def service_names(self):
        if not self.kafka:
            return ["serve"]
        return [name + (f".{number}" if number > 1 else "") for name in ("ingest", "save-raw", "clean", "aggregate")
                for number in range(1, self.replicas + 1)]

    @property
    def ingest(self):
        return self.service_names[0]

    def start(self, name, environment=None):
        self.services[name] = Process([self.program("hearth-cloud"), name.partition(".")[0]], f"{self.directory}/{name}.log",
                                      {**self.environment, "MQTT_CLIENT_ID": name, **(environment or {})})

    def start_services(self):
        for name in self.service_names:
            self.start(name)

    def kill(self, name):
        self.services[name].kill()

    def home(self, name=None, **options):
        home = Home(self, name or f"home{len(self.homes) + 1}", **options)
        self.homes.append(home)
        return home

    def close(self):
        for home in self.homes:
            home.close()
        for process in [*self.services.values(), self.broker, self.influx]:
            process.end()
        if self.kafka:
            self.kafka.close()
