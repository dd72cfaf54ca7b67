"""How much memory each service of hearth-cloud takes; part of scripts/bench --cloud."""

import statistics
import tempfile
import threading
import time

from House.brokers import FleetingBroker
from House.cloud import Cloud
from House.databases import Database
from House.kafka import MockCluster


class ServiceSizes:
    """For a Bench."""

    # By engine: the embedded one belongs to one process, so there all pipelines are in `serve`.
    SERVICES = {"embedded": ("serve", "homes serve"), "Kafka": ("ingest", "save-raw", "clean", "aggregate", "actuate", "homes serve")}

    def services(self):
        """Memory of each service while readings pass from the broker to the points, on both engines by turns."""
        count = 200_000
        seen = {(engine, service): [] for engine, services in self.SERVICES.items() for service in services}
        for _ in range(self.options.runs):
            for engine, services in self.SERVICES.items():
                for service, sizes in self.sizes(services, count, engine == "Kafka").items():
                    seen[engine, service].append(sizes)
        for (engine, service), sizes in seen.items():
            empty, peak = (statistics.median(values) for values in zip(*sizes))
            self.row(f"cloud: RSS of {service}, {engine} engine, MB", peak, 64, "lower",
                     f"MB: connected {empty:.1f}, at most {self.list([peak for _, peak in sizes])} while {count} readings pass")

    def sizes(self, services, count, is_kafka):
        """- Returns: by service, MB when it is connected and at most."""
        with tempfile.TemporaryDirectory() as directory:
            broker, database = FleetingBroker(directory, "cloud"), Database(directory)
            mock = MockCluster(f"{self.options.programs}/mock-kafka") if is_kafka else None
            log = {"EVENT_LOG": "kafka", "KAFKA_HOST": mock.servers} if mock else {}
            clouds = {s: Cloud(self.options.programs, directory, s, broker.port, database.port, **log) for s in services}
            sizes = {service: [cloud.rss(), 0.0] for service, cloud in clouds.items()}
            load = threading.Thread(target=self.load, args=(broker.port, count, *self.homes))
            load.start()
            saving, cleaning = (clouds.get(service, clouds.get("serve")) for service in ("save-raw", "clean"))
            end = time.monotonic() + 300
            while load.is_alive() or saving.saved() < count or not cleaning.passed(count):
                for service, cloud in clouds.items():
                    sizes[service][1] = max(sizes[service][1], cloud.rss())
                if time.monotonic() > end:
                    raise RuntimeError("not all readings passed within 300 s")
                time.sleep(0.05)
            load.join()
            for cloud in clouds.values():
                cloud.stop()
            if mock:
                mock.close()
            broker.stop()
            database.stop()
            return sizes
