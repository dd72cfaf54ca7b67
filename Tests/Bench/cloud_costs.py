"""What the cloud takes for a reading and for a home: beside InfluxDB alone, a subscriber that writes directly, and a cloud in
Python."""

import os
import statistics
import subprocess
import tempfile
import time

from cloud_bench import CloudBench
from House.brokers import FleetingBroker
from House.checks import not_run
from House.cloud import Cloud
from House.databases import Database
from House.kafka import MockCluster
from House.processes import popen, processor_seconds, wait_for
from House.proxy import UP, Proxy
from household import ROOMS

DAY = 86_400
HERE = os.path.dirname(os.path.abspath(__file__))


class CloudCosts(CloudBench):
    def chain_cost(self):
        """Readings a second for each core that the whole chain takes (cloud broker, hearth-cloud, InfluxDB), over the same of
        curl with the same points in files (InfluxDB alone), of a subscriber that writes each reading, and of a cloud in Python."""
        found = {name: [] for name in ("hearth-cloud", "curl", "direct", "Python")}
        python = os.path.join(self.options.tools, "venv", "bin", "python")
        has_python = subprocess.run([python, "-c", "import kafka, paho.mqtt"], capture_output=True).returncode == 0 if os.path.exists(
            python) else False
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                bodies = self.ours(directory, 200_000, found["hearth-cloud"])
                self.files(directory, bodies, 200_000, found["curl"])
            if has_python:
                found["direct"].append(self.in_python(python, ("direct",), 5_000))
                found["Python"].append(self.in_python(python, ("save-raw", "clean", "aggregate", "ingest"), 5_000))
        if not has_python:
            not_run("the chain beside a cloud in Python and beside direct writes", "paho-mqtt and kafka-python could not be installed")
        middle = {name: statistics.median(values) for name, values in found.items() if values}
        raw = "readings/s per core: " + "; ".join(f"{name} {self.list(found[name])}" for name in middle)
        for name, what in (("Python", "the same of a cloud in Python"), ("direct", "a subscriber that writes each reading"),
                           ("curl", "InfluxDB alone, files by curl")):
            if name in middle:
                self.row(f"readings/s per core of the whole chain, sensor's message to all databases / {what}",
                         middle["hearth-cloud"] / middle[name], None, "higher", raw, **found)

    def ours(self, directory, count, found):
        """- Returns: all points as bodies for curl."""
        broker, database = FleetingBroker(directory, "cloud"), Database(directory)
        cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port)
        processes = (broker.process, cloud.process, database.process)
        before = sum(map(processor_seconds, processes))
        self.load(broker.port, count, *self.homes)
        wait_for(lambda: cloud.drained(count), 300, "all in the database")
        found.append(count / (sum(map(processor_seconds, processes)) - before))
        cloud.stop()
        broker.stop()
        bodies = self.bodies(directory, database)
        database.stop()
        return bodies

    @staticmethod
    def files(directory, bodies, count, found):
        fresh = Database(tempfile.mkdtemp(dir=directory))
        before = processor_seconds(fresh.process)
        for name, path, _ in bodies:
            subprocess.run(["curl", "-sS", "-f", "-XPOST", "-H", "Content-Encoding: gzip", "--data-binary", f"@{path}",
                            f"http://127.0.0.1:{fresh.port}/write?db={name}"], check=True, stdout=subprocess.DEVNULL)
        found.append(count / (processor_seconds(fresh.process) - before))
        fresh.stop()

    def in_python(self, python, services, count):
        """Readings a second for each core of MQTT broker, services and InfluxDB. What Kafka takes is left out, in its favour."""
        with tempfile.TemporaryDirectory() as directory:
            broker, database = FleetingBroker(directory, "cloud"), Database(directory)
            kafka = MockCluster(f"{self.options.programs}/mock-kafka")
            running = []
            for service in services:
                running.append(popen([python, f"{HERE}/python_cloud.py", service, str(broker.port), kafka.servers, str(database.port)],
                                     stdout=subprocess.PIPE, text=True))
                if running[-1].stdout.readline() != "ready\n":
                    raise RuntimeError(f"the {service} in Python did not start")
            processes = (broker.process, database.process, *running)
            before = sum(map(processor_seconds, processes))
            self.load(broker.port, count, *self.homes)
            # Of the sensor's readings one in five is a fault.
            wait_for(lambda: time.sleep(0.2) or database.count("raw", "raw_temperature") >= count, 300, "all in the database")
            if "clean" in services:
                passed = len(self.rows_without_faults(database))
                wait_for(lambda: time.sleep(0.2) or database.count("clean", "temperature_clean") >= passed, 300, "all in the database")
            seconds = sum(map(processor_seconds, processes)) - before
            for process in running:
                process.kill()
                process.wait()
            kafka.close()
            broker.stop()
            database.stop()
        return count / seconds

    @staticmethod
    def rows_without_faults(database):
        series = database.query("SELECT value FROM raw_temperature WHERE value < 100", "raw").get("series", [])
        return series[0]["values"] if series else []

    def growth(self):
        """What a home costs the cloud when there are 1, 100 and 10 000 of them: a day of five rooms with a reading a second. The
        first readings of a process make what it keeps of each room; those that follow are what a home costs for as long as it runs.

        The same number of readings is five minutes of a hundred homes and three seconds of ten thousand. With means over a
        minute the latter had a mean written for five readings, the former for three hundred; with means over a second
        both have one for five, which is more than a home costs."""
        count, sizes = 150_000, (1, 100, 10_000)
        runs = [{homes: self.cost(homes, count) for homes in sizes} for _ in range(self.options.runs)]
        for part, title in ((1, ""), (0, ", its first readings")):
            of = {homes: {key: [run[homes][part][key] for run in runs] for key in runs[0][homes][part]} for homes in sizes}
            middle = {homes: {key: statistics.median(values) for key, values in keys.items()} for homes, keys in of.items()}
            for homes, values in middle.items():
                print(f"     a home's day with {homes} homes{title}: " + ", ".join(f"{k} {v * ROOMS * DAY / count:.1f}" for k, v in values.items()),
                      flush=True)
            for key in middle[1]:
                if part == 0 and not key.startswith("CPU"):
                    continue  # What is made of a new room once, on disks and in indices, is no day's.
                self.row(f"a home's cost, {key}{title}, with 10 000 homes / 100", middle[10_000][key] / middle[100][key], 1.1, "lower",
                         f"for {count} readings: " + "; ".join(f"{h} [{', '.join(f'{v:.2f}' for v in of[h][key])}]" for h in sizes),
                         **{str(homes): of[homes][key] for homes in sizes})

    def cost(self, homes, count):
        """What `count` readings of so many homes cost, twice: at first, and once everything has seen each room."""
        with tempfile.TemporaryDirectory() as directory:
            broker, database = FleetingBroker(directory, "cloud"), Database(directory)
            link = Proxy(broker.port)
            cloud = Cloud(self.options.programs, directory, "serve", broker.port, database.port, WINDOW="1s")
            start, sums = int(time.time()) // 60 * 60_000_000, []
            sums.append(self.spent(directory, cloud, database, link))
            for part in range(2):
                self.load(link.port, count, "--homes", str(homes), "--rooms", str(ROOMS), "--payload", "sensor", "--step", "1000000",
                          "--start", str(start), "--first", str(part * count // (homes * ROOMS)))
                wait_for(lambda: cloud.drained((part + 1) * count), 300, "all in the database")
                wait_for(cloud.is_quiet, 60, "P4 is through, too")
                sums.append(self.spent(directory, cloud, database, link))
            for process in (cloud, broker, database):
                process.stop()
            link.close()
        return [{key: after[key] - before[key] for key in after} for before, after in zip(sums, sums[1:])]

    @staticmethod
    def spent(directory, cloud, database, link):
        os.sync()
        disk = [int(subprocess.run(["du", "-s", "--block-size=1", path], check=True, capture_output=True, text=True).stdout.split()[0])
                for path in (f"{directory}/events.sqlite", database.directory)]
        return {"CPU s of hearth-cloud": processor_seconds(cloud.process), "CPU s of InfluxDB": processor_seconds(database.process),
                "MB on the wire": link.bytes[UP] / 1e6, "MB of the event log": disk[0] / 1e6, "MB of InfluxDB": disk[1] / 1e6,
                "points": cloud.stored()}
