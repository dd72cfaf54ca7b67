"""The peers that speak Kafka's protocol: librdkafka's mock cluster, which fails on command, alone or behind a gate with TLS and
SASL; a broker of another make (Tansu), whose wire is disturbed; the cluster that KAFKA_HOST names. Scenarios that break Kafka
itself."""

import os
import signal
import subprocess
import sys
import time

from kafka_wire import (FETCH, HEARTBEAT, JOIN_GROUP, METADATA, OFFSET_COMMIT, OFFSET_FETCH, PRODUCE, SYNC_GROUP, Wire)
from rig import Process, die_with_parent, free_port, listening, wait_for
from scenarios import CannotRun, chain, finish, flowing, scenario


class MockCluster:
    """librdkafka's mock in a process of its own."""

    setup = {"EVENT_LOG": "journal"}  # It knows no CreateTopics.
    environment = {}

    def __init__(self, program):
        self.child = subprocess.Popen([program, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      preexec_fn=die_with_parent)
        self.servers = self.child.stdout.readline().split()[1]
        for topic in ("raw_sensor_data", "clean-data", "heatpump_state", "raw_sensor_data.dead-letter", "raw_sensor_data.held"):
            self.command(f"topic {topic} 4 1")

    def command(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"mock-kafka: {line}: {answer}")

    def close(self):
        self.child.kill()
        self.child.wait()


class GatedCluster(MockCluster):
    """The same behind a gate: TLS, and SCRAM with a password of this run."""

    def __init__(self, program, directory):
        super().__init__(program)
        make = """cd "$0"; openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=gate \
                    -addext subjectAltName=IP:127.0.0.2; openssl rand -hex 16 >password"""
        subprocess.run(["sh", "-ec", make, directory], check=True, capture_output=True)
        self.gate = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "kafka_gate.py"), "--upstream", self.servers,
             "--cert", f"{directory}/ca.crt", "--key", f"{directory}/ca.key", "--mechanism", "SCRAM-SHA-512", "--user", "hearth",
             "--password-file", f"{directory}/password"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.servers = self.gate.stdout.readline().split()[1]
        self.environment = {"KAFKA_CA_FILE": f"{directory}/ca.crt", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
                            "KAFKA_USERNAME": "hearth", "KAFKA_PASSWORD_FILE": f"{directory}/password"}

    def close(self):
        self.gate.kill()
        self.gate.wait()
        super().close()


class ExternalCluster:
    """The cluster of KAFKA_HOST, reached with the settings of the environment (KAFKA_CA_FILE, KAFKA_USERNAME, …). Each run has
    topics and groups of its own, which stay there."""

    setup = {}

    def __init__(self, prefix):
        self.servers = os.environ["KAFKA_HOST"]
        self.environment = {"KAFKA_PREFIX": prefix, "KAFKA_PARTITIONS": "4"}

    def close(self):
        pass


class Broker:
    """A Kafka-compatible broker of another make, which keeps everything in memory; clients reach it through a wire."""

    setup = {"KAFKA_PARTITIONS": "4"}
    environment = {}

    def __init__(self, program, directory, **wire):
        port = free_port()
        self.wire = Wire(port, **wire)
        self.servers = f"127.0.0.1:{self.wire.port}"
        self.process = Process([program, "broker", "--storage-engine", "memory://tansu/", "--listener-url", f"tcp://127.0.0.1:{port}",
                                "--advertised-listener-url", f"tcp://{self.servers}"], directory + "/kafka.log", {"RUST_LOG": "warn"})
        wait_for(lambda: listening(port), 20, "the Kafka-compatible broker listens")

    def close(self):
        self.wire.close()
        self.process.end()


def mock_cluster(run):
    """For a chain's `kafka`."""
    if not run.mock_kafka:
        raise CannotRun("mock-kafka is not built: swift build --product mock-kafka")
    return lambda directory: MockCluster(run.mock_kafka)


def gated_cluster(run):
    """The same."""
    if not run.mock_kafka:
        raise CannotRun("mock-kafka is not built: swift build --product mock-kafka")
    return lambda directory: GatedCluster(run.mock_kafka, directory)


def external_cluster(run):
    """The same."""
    if not os.environ.get("KAFKA_HOST"):
        raise CannotRun("KAFKA_HOST names no cluster")
    return lambda directory: ExternalCluster(f"faults-{run.seed}-{os.getpid()}.")


def broker(run, **wire):
    """The same."""
    if not run.kafka_broker:
        raise CannotRun("no Kafka-compatible broker: scripts/faults could not install one from PyPI")
    return lambda directory: Broker(run.kafka_broker, directory, **wire)


# Request and error code, https://kafka.apache.org/protocol#protocol_error_codes. Those that come after an append
# (REQUEST_TIMED_OUT) make duplicates in the log, which nothing downstream may show.
ERRORS = [("produce", 7), ("produce", 19), ("produce", 20), ("produce", 6), ("produce", 5), ("fetch", 6), ("fetch", 1),
          ("offset-commit", 16), ("offset-commit", 15), ("offset-commit", 27), ("heartbeat", 27), ("heartbeat", 25),
          ("metadata", 5), ("find-coordinator", 15), ("init-producer-id", 14)]


@scenario("kafka-errors", "the Kafka protocol's errors for produce, fetch, commit, heartbeat; broker down; slow")
def kafka_errors(run):
    with chain(run, mock_cluster(run)) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        for _ in range(run.pick(1, 6)):
            for request, code in ERRORS:
                rig.kafka.command(f"errors {request} {code} {run.random.randint(1, 4)}")
                time.sleep(run.pick(0.15, run.random.uniform(0.1, 2)))
            for breaking, mending in [("down -1", "up -1"), ("rtt -1 800", "rtt -1 0")]:
                rig.kafka.command(breaking)
                time.sleep(run.pick(1, run.random.uniform(1, 15)))
                # With it goes what it may have acknowledged and holds for the cluster.
                rig.kill(rig.ingest)
                rig.kafka.command(mending)
                rig.start(rig.ingest)
                time.sleep(0.5)
        return finish(rig, 180, errors=len(ERRORS))


@scenario("kafka-broker", "a Kafka-compatible broker of another make: its answers lost once it has done the work, the broker frozen, "
                          "replicas of every service killed, frozen, and away for a while")
def kafka_broker(run):
    with chain(run, broker(run), homes=2, replicas=2) as rig:
        for number, home in enumerate(rig.homes):
            home.feed(rate=60, seed=run.seed + 1000 * number)
        for home in rig.homes:
            flowing(home)
        counts = {"killed": 0, "frozen": 0}
        deadline = time.monotonic() + run.pick(15, 300)
        while time.monotonic() < deadline:
            time.sleep(run.random.uniform(0.1, 0.8))
            strike(run, rig, counts)
        counts["answers_lost"] = sum(rig.kafka.wire.lost.values())
        return finish(rig, 180, **counts)


def strike(run, rig, counts):
    what = run.random.choice(["answer", "answer", "answer", "kill", "freeze"])
    if what == "answer":
        rig.kafka.wire.lose(run.random.choice(
            [PRODUCE, PRODUCE, FETCH, OFFSET_COMMIT, OFFSET_COMMIT, OFFSET_FETCH, METADATA, JOIN_GROUP, HEARTBEAT, SYNC_GROUP]))
        return
    name = run.random.choice(rig.service_names)
    if what == "kill":
        rig.kill(name)
        # Now and then for longer than the session, so that the others take over.
        time.sleep(run.random.choice([0, 0.3, run.pick(1, 10)]))
        rig.start(name)
        counts["killed"] += 1
    else:
        process = run.random.choice([rig.kafka.process, rig.services[name]])
        process.signal(signal.SIGSTOP)
        time.sleep(run.random.uniform(0.2, run.pick(2, 12)))
        process.signal(signal.SIGCONT)
        counts["frozen"] += 1


def kill_and_freeze(run, rig):
    """Every service, at random, for a while."""
    for number, home in enumerate(rig.homes):
        home.feed(rate=60, seed=run.seed + 1000 * number)
    for home in rig.homes:
        flowing(home)
    counts = {"killed": 0, "frozen": 0}
    deadline = time.monotonic() + run.pick(12, 300)
    while time.monotonic() < deadline:
        time.sleep(run.random.uniform(0.1, 0.8))
        name = run.random.choice(rig.service_names)
        if run.random.random() < 0.6:
            rig.kill(name)
            time.sleep(run.random.choice([0, 0.3, run.pick(1, 10)]))
            rig.start(name)
            counts["killed"] += 1
        else:
            process = rig.services[name]
            process.signal(signal.SIGSTOP)
            time.sleep(run.random.uniform(0.2, run.pick(2, 12)))
            process.signal(signal.SIGCONT)
            counts["frozen"] += 1
    return counts


@scenario("kafka-secured", "Kafka's protocol over TLS with SCRAM (a gate before librdkafka's mock): services killed and frozen, "
                           "errors on the way")
def kafka_secured(run):
    with chain(run, gated_cluster(run), homes=2) as rig:
        for request, code in ERRORS:
            rig.kafka.command(f"errors {request} {code} 1")
        return finish(rig, 180, **kill_and_freeze(run, rig))


@scenario("kafka-cluster", "the cluster that KAFKA_HOST names, with its security settings: replicas of every service killed and frozen")
def kafka_cluster(run):
    with chain(run, external_cluster(run), homes=2, replicas=2) as rig:
        return finish(rig, 180, **kill_and_freeze(run, rig))


@scenario("kafka-forgets-metadata", "a broker that keeps the offset of a commit and not what is said beside it: the operator is told")
def kafka_forgets(run):
    with chain(run, broker(run, keeps_notes=False)) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        wait_for(lambda: "does not keep the metadata" in rig.services["aggregate"].output(), 60, "aggregate says so")
        return finish(rig, 120)
