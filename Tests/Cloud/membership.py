#!/usr/bin/env python3
"""Kafka's static membership, at a broker of another make that has it (Tansu): what components/static-membership gives a pod arrives
there; a replica with a name that stops and comes back has its partitions again, and its neighbour is not asked to join anew. Without
names, beside it, the neighbour is. Called by scripts/test-kubernetes. HEARTH_BIN_DIR names the programs, KAFKA_BROKER the broker."""

import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import check, end, not_run
from House.databases import Influx
from House.kafka import Tansu
from House.kafka_wire import HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, SYNC_GROUP, Fields
from House.processes import Process, comes

PROGRAM = os.path.join(os.environ.get("HEARTH_BIN_DIR", ""), "hearth-cloud")
BROKER = os.environ.get("KAFKA_BROKER", "")
PATCH = pathlib.Path(__file__).resolve().parents[2] / "cloud/components/static-membership/pipelines.yaml"
# Tansu lets members wait for half of it before a group begins.
SESSION = {"KAFKA_SESSION_TIMEOUT": "20"}
REBALANCE_IN_PROGRESS = 27  # https://kafka.apache.org/protocol#protocol_error_codes


class Group:
    """What the wire has seen of one consumer group. Members are known by their instance, those without by their id."""

    def __init__(self):
        self.sessions, self.partitions, self.beats, self.asked, self.left = {}, {}, {}, [], 0

    def requested(self, key, fields):
        if key == LEAVE_GROUP:
            self.left += 1
        elif key == JOIN_GROUP:
            session, _, member, instance = fields.number("i"), fields.number("i"), fields.text(), fields.text()
            self.sessions[instance or member] = session

    def answered(self, key, fields, answer):
        if key in (SYNC_GROUP, HEARTBEAT):
            _, member, instance = fields.number("i"), fields.text(), fields.text()
            name = instance or member
            if key == SYNC_GROUP:
                self.partitions[name] = assignment(answer)
            else:
                self.beats[name] = self.beats.get(name, 0) + 1
                if Fields(answer, 8).number("h") == REBALANCE_IN_PROGRESS:
                    self.asked.append(name)

    def shared(self):
        """Whether two have partitions."""
        return len([member for member, partitions in list(self.partitions.items()) if partitions]) == 2


def assignment(answer):
    """Of an answer to SyncGroup, version 3."""
    fields = Fields(answer, 8)  # after the throttle time
    if fields.number("h") != 0 or fields.number("i") == 0:
        return []
    fields.number("h")  # the version
    return sorted((topic, fields.number("i")) for topic in (fields.text() for _ in range(fields.number("i")))
                  for _ in range(fields.number("i")))


class Cloud:
    """The broker behind a wire that listens, a database, and replicas of pipelines."""

    def __init__(self, directory):
        self.directory, self.groups, self.count = directory, {}, 0
        self.database = Influx(directory)
        self.broker = Tansu(BROKER, str(directory), told=self.told)
        self.environment = {"EVENT_LOG": "kafka", "KAFKA_HOST": self.broker.servers, "INFLUX_API": "v1", "HTTP_PORT": "0",
                            "INFLUX_URL": f"http://127.0.0.1:{self.database.port}", "KAFKA_PARTITIONS": "4", "SETUP_WAIT": "30"}
        subprocess.run([PROGRAM, "setup"], env={**os.environ, **self.environment}, check=True, capture_output=True, timeout=60)

    def told(self, key, request, answer=None):
        if key in (HEARTBEAT, JOIN_GROUP, LEAVE_GROUP, SYNC_GROUP):
            fields = Fields(request, 8)
            fields.text()  # the client
            group = self.group(fields.text())
            group.requested(key, fields) if answer is None else group.answered(key, fields, answer)

    def group(self, name):
        return self.groups.setdefault(name, Group())

    def start(self, pipeline, variables):
        self.count += 1
        return Process([PROGRAM, pipeline], self.directory / f"{pipeline}-{self.count}.log", {**self.environment, **variables})

    def end(self):
        self.broker.close()
        self.database.end()


def variables(pod):
    """What the component gives a pod."""
    values = [step["value"] for step in yaml.safe_load(PATCH.read_text()) if step["path"].endswith("/env/-")]
    return {value["name"]: pod if value.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.name" else value["value"]
            for value in values}


def check_component(cloud):
    cloud.start("aggregate", variables("p4-aggregate-0"))
    sessions = cloud.group("p4-aggregator-group").sessions
    check("the component's name and session arrive at the broker", comes(lambda: sessions) and sessions == {"p4-aggregate-0": 120_000},
          str(sessions))


def check_restart(cloud):
    static, nameless = cloud.group("p1-raw-saver-group"), cloud.group("p2-cleaner-group")
    saver, _ = (cloud.start("save-raw", {**SESSION, "KAFKA_INSTANCE": f"p1-save-{number}"}) for number in range(2))
    cleaner, _ = (cloud.start("clean", SESSION) for _ in range(2))
    check("two replicas with names share the partitions", comes(static.shared, 60), str(static.partitions))
    check("and two without", comes(nameless.shared, 60), str(nameless.partitions))
    before = dict(static.partitions)
    for group in (static, nameless):
        group.asked.clear()
    check("a replica stops when it is told to", [saver.terminate(), cleaner.terminate()] == [0, 0])
    check("one without a name takes leave", comes(lambda: nameless.left == 1, 10))
    check("one with a name does not", static.left == 0)
    static.partitions.pop("p1-save-0", None)
    beats = static.beats["p1-save-1"]
    cloud.start("save-raw", {**SESSION, "KAFKA_INSTANCE": "p1-save-0"})
    cloud.start("clean", SESSION)
    check("back again, it has its partitions", comes(lambda: static.partitions.get("p1-save-0"), 60) and static.partitions == before,
          f"{before}, {static.partitions}")
    # It speaks every three seconds, and would be told then.
    check("its neighbour goes on meanwhile", comes(lambda: static.beats["p1-save-1"] >= beats + 5, 60))
    check("and is not asked to join anew", not static.asked, str(static.asked))
    check("where there are no names it is", comes(lambda: nameless.asked, 60))


def main():
    if not os.access(PROGRAM, os.X_OK) or not os.access(BROKER, os.X_OK):
        not_run("static membership", "HEARTH_BIN_DIR names no hearth-cloud, or KAFKA_BROKER no Kafka-compatible broker")
        return end("static membership")
    with tempfile.TemporaryDirectory() as name:
        cloud = Cloud(pathlib.Path(name))
        try:
            check_component(cloud)
            check_restart(cloud)
        finally:
            cloud.end()
    return end("static membership")


if __name__ == "__main__":
    main()
