"""The peers that speak Kafka's protocol: librdkafka's mock cluster, which fails on command, alone or behind a gate with TLS and
SASL; a broker of another make (Tansu), whose wire is disturbed; the cluster that KAFKA_HOST names."""

import os
import subprocess
import sys

from House.checks import CannotRun, Late
from House.kafka_wire import Wire
from House.processes import Process, free_port, listening, popen, wait_for


class MockCluster:
    """librdkafka's mock in a process of its own."""

    setup = {"EVENT_LOG": "journal"}  # It knows no CreateTopics.
    environment = {}

    def __init__(self, program):
        self.child = popen([program, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.servers = self.child.stdout.readline().split()[1]
        for topic in ("raw_sensor_data", "clean-data", "heatpump_state", "raw_sensor_data.dead-letter", "raw_sensor_data.held"):
            self.command(f"topic {topic} 4 1")

    def command(self, line):
        try:
            self.child.stdin.write(line + "\n")
            self.child.stdin.flush()
            answer = self.child.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Late(f"mock-kafka has ended by itself before: {line}")
        if answer != "ok":
            raise RuntimeError(f"mock-kafka: {line}: {answer}")

    def ended(self):
        """How the process ended by itself; None while it runs."""
        return self.child.poll()

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
        self.gate = popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "kafka_gate.py"), "--upstream", self.servers,
             "--cert", f"{directory}/ca.crt", "--key", f"{directory}/ca.key", "--mechanism", "SCRAM-SHA-512", "--user", "hearth",
             "--password-file", f"{directory}/password"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


class Tansu:
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
    """For the `kafka` of a rig, of a run that names its programs."""
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
    return lambda directory: Tansu(run.kafka_broker, directory, **wire)
