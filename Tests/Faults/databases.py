"""What InfluxDB takes not now, and what it never takes: a full disk, its limits, a field of another type, its retention.
Nothing that may be taken later is given up, and none of it is a secret."""

import datetime
import json
import os
import subprocess
import time
import urllib.request

from House.checks import CannotRun, Failure
from House.kafka import mock_cluster
from House.processes import free_port, wait_for
from oracle import readings
from scenarios import chain, finish, flowing, scenario


class Site:
    """A chain whose service with P1 can be asked."""

    def __init__(self, rig):
        self.rig, self.port = rig, free_port()
        self.saver = "serve" if not rig.kafka else "save-raw"
        rig.kill(self.saver)
        rig.start(self.saver, {"HTTP_PORT": str(self.port)})
        wait_for(lambda: self.ask("/readyz")[0] == 200, 30, "the service is ready")

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()
        except OSError:
            return 0, ""

    def unready(self, words, seconds=75):
        """Says why within a minute."""
        def says():
            status, body = self.ask("/readyz")
            return status == 503 and words in body
        wait_for(says, seconds, f"/readyz says '{words}': {self.ask('/readyz')}")

    def ready(self, seconds=90):
        wait_for(lambda: self.ask("/readyz")[0] == 200, seconds, f"ready again: {self.ask('/readyz')}")

    def dead_letters(self):
        result = subprocess.run([self.rig.program("hearth-cloud"), "dead-letters", "list", "--json"], capture_output=True,
                                text=True, timeout=60, env={**os.environ, **self.rig.environment, "HTTP_PORT": str(self.port)})
        if result.returncode:
            raise Failure(f"dead-letters list: {result.stdout}{result.stderr}")
        return [json.loads(line) for line in result.stdout.splitlines()]

    def expect_no_dead_letters(self):
        letters = self.dead_letters()
        if letters:
            raise Failure(f"{len(letters)} dead letters, which nobody will look for: {letters[0]}")


def small_disk(size):
    """For the write-ahead log, where every point goes first."""
    def prepare(directory):
        os.makedirs(directory + "/wal")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory + "/wal"], capture_output=True).returncode:
            raise CannotRun("no file system of a size of its own can be mounted here: run as root")
    return prepare


def unmount(rig):
    subprocess.run(["umount", "--lazy", rig.influx.directory + "/wal"], capture_output=True)


@scenario("database-disk-full", "InfluxDB's file system is full, and has room again later")
def disk_full(run):
    with chain(run, influx_prepare=small_disk("32m")) as rig:
        try:
            home, site = rig.homes[0], Site(rig)
            home.feed(rate=100, seed=run.seed)
            flowing(home)
            filler = rig.influx.directory + "/wal/filler"
            with open(filler, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(bytes(4096))
                except OSError:
                    pass
            site.unready("no space left")
            flowing(home, 100)
            os.remove(filler)
            # influxd 1.x goes on saying so until it is restarted.
            rig.influx.process.terminate()
            rig.influx.start()
            site.ready()
            site.expect_no_dead_letters()
            return finish(rig, 150)
        finally:
            rig.influx.process.end()
            unmount(rig)


@scenario("database-series-limit", "InfluxDB has as many series as it may have, until somebody allows it more")
def series_limit(run):
    with chain(run, influx_limits="max-series-per-database = 3") as rig:
        home, site = rig.homes[0], Site(rig)
        home.feed(rate=100, rooms=8, seed=run.seed)
        flowing(home, 100)
        site.unready("max-series-per-database limit exceeded")
        flowing(home, 100)
        rig.influx.process.terminate()
        rig.influx.configure("")
        rig.influx.start()
        site.ready()
        site.expect_no_dead_letters()
        return finish(rig, 150)


def conflict(run, kafka=None):
    with chain(run, kafka) as rig:
        home, site = rig.homes[0], Site(rig)
        # Somebody's earlier script, in the shards of today and of a year from now, where a second feeder's clock begins. The
        # feeder's clock goes on by 80 minutes, and on a Sunday evening into the shard of the next week.
        shards = [int(time.time()) + year * 31_536_000 + hours * 3600 for year in range(2) for hours in (0, 2)]
        lines = "\n".join(f"raw_temperature,home=old,room=old value=1i {at * 1_000_000_000}" for at in shards)
        rig.influx.write(lines, "raw")
        home.feed(rate=100, count=200, seed=run.seed)
        home.feeder.child.wait(60)
        site.unready("field type conflict")
        # Pump commands and the clean bucket do not wait for it.
        wait_for(lambda: rig.influx.points("heatpump_state", ["on"], "raw").get(home.name), 30, "commands are points")
        wait_for(lambda: len(rig.influx.points("temperature_clean", ["value"], "clean").get(home.name, {})) > 100, 30,
                 "the clean bucket fills")
        if rig.influx.points("raw_temperature", ["value"], "raw").get(home.name):
            raise Failure("the fault was not there: readings became points")
        # What the README says: the type is that of the shard, so the measurement goes and comes back.
        rig.influx.query('DROP MEASUREMENT "raw_temperature"', "raw")
        rig.aside = {"old"}
        site.ready()
        site.expect_no_dead_letters()
        return finish(rig, 120)


@scenario("database-type-conflict", "the field is an integer in InfluxDB already, until somebody mends that")
def type_conflict(run):
    return conflict(run)


@scenario("database-type-conflict-kafka", "the same on Kafka's protocol")
def type_conflict_kafka(run):
    return conflict(run, mock_cluster(run))


@scenario("database-retention", "readings that are older than their bucket keeps, among others: counted, kept, told to the home's audit")
def retention(run):
    with chain(run) as rig:
        home, site = rig.homes[0], Site(rig)
        rig.influx.query('ALTER RETENTION POLICY "autogen" ON "raw" DURATION 20d SHARD DURATION 1d', "raw")
        now, old, new = datetime.datetime.now(datetime.timezone.utc), 0, 0
        for number in range(30):
            is_old = number % 3 == 0
            at = now - datetime.timedelta(days=40 if is_old else 0, seconds=100 - number)
            body = json.dumps({"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f"), "value": 20 + number / 64})
            subprocess.run(["mosquitto_pub", "-p", str(home.broker.port), "-q", "1", "-t",
                            f"{'attic' if is_old else 'office'}/temperature", "-m", body], check=True, timeout=30)
            old, new = old + is_old, new + (not is_old)
        wait_for(lambda: len(readings(home.wire.snapshot("acknowledged"))) == old + new, 30, "all are acknowledged")
        wanted = {k: v for k, v in readings(home.wire.snapshot("acknowledged")).items() if k[0] == "office"}
        wait_for(lambda: rig.influx.points("raw_temperature", ["value"], "raw").get(home.name) == wanted, 40,
                 "those that are kept are points, and nothing else is")
        letters = site.dead_letters()
        reasons = {letter["reason"].split(":")[1].strip() for letter in letters}
        if len(letters) != old or reasons != {"beyond_retention"}:
            raise Failure(f"{old} are older than the bucket keeps; dead letters: {len(letters)} {reasons}")

        def audited():
            gaps = home.audit()["gaps"]
            return {g["kind"] for g in gaps} == {"deadLetter"} and sum(g["to"] - g["from"] + 1 for g in gaps) == old
        wait_for(audited, 40, f"the home's audit tells {old} that are no points: {home.audit()}")
        return {"kept": new, "beyond": old}
