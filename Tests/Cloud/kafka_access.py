#!/usr/bin/env python3
"""hearth-cloud at a secured Kafka as operators set it up: names and passwords with every kind of character, files as editors leave
them, several servers, IPv6, and properties that would break a promise. The cluster is librdkafka's mock behind the gate of the test
house, whose SCRAM is held to the example of RFC 7677 first. Called by scripts/test-kubernetes. HEARTH_BIN_DIR names the programs."""

import base64
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import check, end, not_run
from House.kafka import MockCluster
from House.kafka_gate import Scram
from House.processes import Process, comes, free_port, popen
from servers import certificates

PROGRAMS = os.environ.get("HEARTH_BIN_DIR", "")
GATE = pathlib.Path(__file__).resolve().parents[1] / "House/kafka_gate.py"


def check_scram():
    """https://www.rfc-editor.org/rfc/rfc7677#section-3"""
    scram = Scram("sha256", "user", b"pencil")
    scram.answer(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    scram.nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    scram.salt, scram.iterations = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096
    scram.first = f"r={scram.nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    answer = scram.answer(f"c=biws,r={scram.nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode())
    check("the gate's SCRAM is RFC 7677's", answer == (b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", True), str(answer))


def forward_ipv6(port):
    """- Returns: a port of [::1] that leads to this one of 127.0.0.1."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        target.close()

    def accept():
        while True:
            client, _ = listener.accept()
            broker = socket.create_connection(("127.0.0.1", port))
            for pair in ((client, broker), (broker, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def letters(**environment):
    """The shortest command that speaks to a cluster."""
    return subprocess.run([f"{PROGRAMS}/hearth-cloud", "dead-letters", "list"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "EVENT_LOG": "kafka", **environment})


def check_servers(mock):
    port = int(mock.servers.rsplit(":", 1)[1])
    dead = free_port()
    for what, servers in (("one", mock.servers), ("a dead one first", f"127.0.0.1:{dead},{mock.servers}"),
                          ("a blank between them", f"127.0.0.1:{dead}, {mock.servers}"), ("IPv6", f"[::1]:{forward_ipv6(port)}")):
        result = letters(KAFKA_HOST=servers)
        check(f"servers: {what}", result.returncode == 0, result.stderr[-300:])
    for servers in (f"http://{mock.servers}", "127.0.0.1:99999", " ", "::1"):
        result = letters(KAFKA_HOST=servers)
        check(f"servers: {servers!r} is refused, and why", result.returncode != 0 and "KAFKA_HOST) must be host:port" in result.stderr,
              result.stderr[-300:])


def check_logins(mock, directory):
    certificates(directory)
    password = 's3c,r=t "$%\\ é'
    for number, (mechanism, user, file) in enumerate((
            ("SCRAM-SHA-512", "ann,of=sales é", password), ("SCRAM-SHA-256", "a=b", f"{password}\r\n"),
            ("PLAIN", "user@example.org", f"\ufeff{password}\n"), ("SCRAM-SHA-512", "CN=ann,O=house", f"{password}\n\n"))):
        (directory / "gate").write_text(password)
        given = directory / f"given{number}"
        given.write_bytes(file.encode())
        gate = popen([sys.executable, GATE, "--upstream", mock.servers, "--cert", directory / "server.crt", "--key", directory / "server.key",
                      "--mechanism", mechanism, "--user", user, "--password-file", directory / "gate"],
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        servers = gate.stdout.readline().split()[1]
        (directory / "properties").write_bytes(b"\xef\xbb\xbfssl.endpoint.identification.algorithm=none\r\nbatch.size=50000\r\n")
        right = {"KAFKA_HOST": servers, "KAFKA_CA_FILE": str(directory / "ca.crt"), "KAFKA_SASL_MECHANISM": mechanism,
                 "KAFKA_USERNAME": user, "KAFKA_PASSWORD_FILE": str(given), "KAFKA_PROPERTIES_FILE": str(directory / "properties")}
        result = letters(**right)
        check(f"{mechanism}: {user!r} logs in with {file!r}", result.returncode == 0, result.stderr[-400:])
        result = letters(**{**right, "KAFKA_USERNAME": "somebody"})
        check(f"{mechanism}: somebody else is told what is wrong, and where",
              result.returncode != 0 and "KAFKA_PASSWORD_FILE" in result.stderr and servers in result.stderr, result.stderr[-400:])
        check(f"{mechanism}: no password is shown", "s3c" not in result.stdout + result.stderr)
        gate.kill()
        gate.wait()


def check_properties(mock, directory):
    file = directory / "further"
    for text, says in (
            ("topic.partitioner=random", "topic.partitioner"), ("topic.acks=0", "topic.acks"), ("linger.ms=1\r\nacks=1\r\n", "line 2: acks"),
            ("log.queue=true", "log.queue"), ("enable.gapless.guarantee=true", "gapless"), ("retry.backoff.ms=100", "600 or more"),
            ("topic.metadata.refresh.interval.ms=-1", "partitions"), ("ssl.ca.pem=x", "KAFKA_SECURITY_PROTOCOL"),
            ("sasl.kerberos.service.name=kafka", "KAFKA_SASL_MECHANISM"), ("linger.ms=soon", "linger.ms"),
            ("no.such.property=1", "no.such.property"), ("linger.ms=900000", "linger.ms"), ("bootstrap.servers=b:1", "KAFKA_HOST"),
            ("transactional.id=a", "transactional.id"), ("isolation.level=read_uncommitted", "isolation.level")):
        file.write_text(text)
        result = letters(KAFKA_HOST=mock.servers, KAFKA_PROPERTIES_FILE=str(file))
        check(f"property {text!r} is refused by name", result.returncode != 0 and says in result.stderr, result.stderr[-300:])
    file.write_text("# ours\n\nqueue.buffering.max.messages=10\nsocket.timeout.ms=5000\nbroker.address.family=v4\n")
    result = letters(KAFKA_HOST=mock.servers, KAFKA_PROPERTIES_FILE=str(file))
    check("harmless ones are taken", result.returncode == 0, result.stderr[-300:])


def check_forbidden(directory):
    """librdkafka speaks of a forbidden topic's partitions with each answer of a broker, ten times a second."""
    mock = MockCluster(f"{PROGRAMS}/mock-kafka")
    mock.command("topic-error raw_sensor_data.held 29")
    service = Process([f"{PROGRAMS}/hearth-cloud", "save-raw"], directory / "save-raw.log", {
        "EVENT_LOG": "kafka", "KAFKA_HOST": mock.servers, "INFLUX_API": "v1", "INFLUX_URL": f"http://127.0.0.1:{free_port()}", "HTTP_PORT": "0"})
    check("a forbidden topic is told", comes(lambda: "raw_sensor_data.held: Broker: Topic authorization failed" in service.output(), 60),
          service.output()[-500:])
    before = service.output().count("\n")
    comes(lambda: False, 10)
    count = service.output().count("\n") - before
    check("and is no flood of lines", count < 20, f"{count} lines in 10 s: {service.output()[-300:]}")
    service.end()
    mock.close()


def main():
    check_scram()
    if not os.access(f"{PROGRAMS}/hearth-cloud", os.X_OK) or not os.access(f"{PROGRAMS}/mock-kafka", os.X_OK):
        not_run("hearth-cloud at a secured Kafka", "HEARTH_BIN_DIR names no hearth-cloud with mock-kafka beside it")
        return end("Kafka's access")
    mock = MockCluster(f"{PROGRAMS}/mock-kafka")
    with tempfile.TemporaryDirectory() as name:
        check_servers(mock)
        check_logins(mock, pathlib.Path(name))
        check_properties(mock, pathlib.Path(name))
        check_forbidden(pathlib.Path(name))
    mock.close()
    return end("Kafka's access")


if __name__ == "__main__":
    main()
