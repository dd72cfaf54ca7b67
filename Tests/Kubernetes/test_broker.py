#!/usr/bin/env python3
"""The broker of the cluster, run here: the configuration, rights, users and certificates as kustomize and
scripts/minikube-up make them, in a real Mosquitto, with only paths and ports mapped. Called by
scripts/test-kubernetes."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House import checks
from House.brokers import Mosquitto, security_plugin
from House.checks import check, end, not_run
from House.processes import comes, free_port
from manifests import find, render
from test_minikube_up import Machine


class Broker(Mosquitto):
    """Mosquitto with the cluster's configuration, on two free ports of this machine."""

    def __init__(self, directory, machine):
        self.directory, self.state = directory, machine.state
        self.plain, self.tls = free_port(), free_port()
        data = find(render("cloud/overlays/minikube"), "ConfigMap", "mosquitto-config")["data"]
        for place in ("config", "users", "tls", "data"):
            (directory / place).mkdir()
        self.take_users()
        for name, key in (("ca.crt", "ca.crt"), ("server.crt", "tls.crt"), ("server.key", "tls.key")):
            shutil.copy(self.state / "tls" / name, directory / "tls" / key)
        # Where the image has the plugin, and where this machine's package has it.
        text = data["mosquitto.conf"].replace("/usr/lib/mosquitto_dynamic_security.so", security_plugin())
        for inside, here in (("/mosquitto/config/", "config/"), ("/mosquitto/secrets/users/", "users/"),
                             ("/mosquitto/secrets/tls/", "tls/"), ("/mosquitto/data/", "data/")):
            text = text.replace(inside, f"{directory}/{here}")
        check("every path of the configuration is one that the manifest mounts", "/mosquitto/" not in text, text)
        # A listener with its port; the limit to this machine is the test's.
        text = re.sub(r"^listener 8883$", f"listener {self.tls} 127.0.0.1", text, flags=re.MULTILINE)
        text = re.sub(r"^listener 1883$", f"listener {self.plain} 127.0.0.1", text, flags=re.MULTILINE)
        super().__init__(directory, "mosquitto", text, [self.plain, self.tls])

    def take_users(self):
        shutil.copy(self.state / "rights.json", self.directory / "users/rights.json")

    def start(self):
        super().start()
        check("the broker starts", self.process.running(), self.process.output())

    def words(self, user, password_file, plain=False, ca=None):
        """Arguments by which a client reaches the broker as this user."""
        words = ["-h", "127.0.0.1", "-p", str(self.plain if plain else self.tls), "-V", "5"]
        if not plain:
            words += ["--cafile", str(ca or self.state / "homes/home1/ca.crt")]
        if user:
            words += ["-u", user, "-P", (self.state / password_file).read_text() if password_file else "wrong"]
        return words

    def home(self, name):
        return self.words(name, f"homes/{name}/cloud.password")

    @property
    def ingestor(self):
        return self.words("hearth-cloud", "mqtt.password", plain=True)


def publish(words, topic, payload="1"):
    """Exit code and output; 135 (0x87) and the like are in the output as the broker's reason."""
    result = subprocess.run(["mosquitto_pub", *words, "-q", "1", "-t", topic, "-s", "-d"], input=payload,
                            capture_output=True, text=True, timeout=20)
    return result.returncode, result.stdout + result.stderr


def is_denied(answer):
    return "not authorized" in answer[1].lower() or "RC:135" in answer[1].replace(" ", "")


class Listener:
    """Everything a client receives."""

    def __init__(self, words, *filters, identity=None):
        arguments = [part for topic in filters for part in ("-t", topic)]
        keep = ["-i", identity, "-c", "-x", "3600"] if identity else []
        self.process = subprocess.Popen(["mosquitto_sub", *words, "-q", "1", *keep, *arguments, "-v", "-d"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.seen = ""
        comes(lambda: "SUBACK" in self.read() or "Subscribed" in self.seen or self.process.poll() is not None)

    def read(self):
        try:
            self.seen += self.process.stdout.read() or ""
        except (TypeError, BlockingIOError):
            pass
        return self.seen

    def gets(self, text, seconds=10):
        return comes(lambda: text in self.read(), seconds)

    def stop(self):
        self.process.kill()
        self.process.wait()
        return self.read()


def who_gets_in(broker, machine):
    foreign = machine.directory / "foreign"
    subprocess.run(["systemd/examples/cloud-broker/issue-certificate", foreign, "authority"], check=True,
                   capture_output=True)
    topic = "home1/kitchen/temperature"
    check("a home gets in with its password", publish(broker.home("home1"), topic)[0] == 0)
    check("the ingestor gets in", publish(broker.ingestor, "home1/gateway/ack")[0] == 0)
    for title, words in (
            ("nobody without a name, with TLS", broker.words(None, None)),
            ("nobody without a name, inside the cluster", broker.words(None, None, plain=True)),
            ("a wrong password", broker.words("home1", None)),
            ("another home's password", broker.words("home1", "homes/home2/cloud.password")),
            ("an unknown home", broker.words("home3", "homes/home1/cloud.password")),
            ("an authority that is not the broker's", broker.words(
                "home1", "homes/home1/cloud.password", ca=foreign / "ca.crt"))):
        code, output = publish(words, topic)
        check(f"refused: {title}", code != 0, output)
    without = broker.home("home1")
    del without[without.index("--cafile"):without.index("--cafile") + 2]
    check("refused: a connection without TLS from outside", publish(without, topic)[0] != 0)


def who_may_what(broker):
    cloud = Listener(broker.ingestor, *[f"$share/hearth-ingest/{f}" for f in ("+/+/temperature", "+/+/heatpump", "+/frame")])
    spy = Listener(broker.home("home2"), "#", "+/+/temperature", "home1/gateway/ack", "home1/gateway/stored", "home2/gateway/ack",
                   "$share/hearth-ingest/+/+/temperature")
    own = Listener(broker.home("home1"), "home1/gateway/ack", "home1/gateway/stored", "home1/+/heatpump/set")
    for topic in ("home1/kitchen/temperature", "home1/kitchen/heatpump", "home1/frame"):
        check(f"home1 may publish {topic}, and the ingestor gets it", not is_denied(
            publish(broker.home("home1"), topic, f"to {topic}")) and cloud.gets(f"to {topic}"), cloud.seen)
    check("home1 may publish its status", not is_denied(publish(broker.home("home1"), "home1/gateway/status")))
    for number in range(30):
        publish(broker.home("home1"), "home1/kitchen/temperature", f"all {number}")
    check("home2 cannot join the ingestors' shared subscription: they get all of it",
          all(cloud.gets(f"all {number}") for number in range(30)), cloud.seen[-1000:])
    for topic in ("home2/kitchen/temperature", "home2/frame", "home1/gateway/ack", "home2/gateway/ack", "home1/gateway/stored",
                  "home1/kitchen/heatpump/set", "home2/kitchen/heatpump/set", "other", "home1/kitchen"):
        answer = publish(broker.home("home1"), topic, "stolen")
        check(f"home1 may not publish {topic}", is_denied(answer), answer)
    big = "x" * (256 * 1024)
    check("a frame of 256 KiB passes", publish(broker.home("home1"), "home1/frame", big)[0] == 0 and cloud.gets(big[:100]))
    publish(broker.ingestor, "home1/gateway/ack", "for home1")
    publish(broker.ingestor, "home1/kitchen/heatpump/set", "set for home1")
    publish(broker.ingestor, "home1/gateway/stored", "account of home1")
    check("home1 gets its confirmations, commands and account", own.gets("for home1") and own.gets("set for home1")
          and own.gets("account of home1"), own.seen)
    publish(broker.ingestor, "home2/gateway/ack", "for home2")
    heard = spy.gets("for home2")
    strange = [line[:80] for line in spy.seen.splitlines() if "home1/" in line and "sending" not in line and "Topic:" not in line]
    check("home2 gets its own and nothing of home1", heard and not strange, strange)
    seen = cloud.stop()
    check("the ingestor got nothing that was refused", "stolen" not in seen, seen[-500:])
    spy.stop()
    own.stop()


def restart_keeps_what_is_queued(broker, machine):
    """A planned restart: the ingestor's session and what waits for it are there afterwards."""
    listener = Listener(broker.ingestor, "$share/hearth-ingest/+/+/temperature", identity="hearth-ingestor")
    listener.stop()
    publish(broker.home("home1"), "home1/kitchen/temperature", "while nobody reads")
    check("the broker stops in time", broker.stop() == 0)
    machine.run("minikube-up", "--home", "home3", DOUBLE_ADDRESS="127.0.0.1")
    broker.take_users()
    broker.start()
    again = Listener(broker.ingestor, "$share/hearth-ingest/+/+/temperature", identity="hearth-ingestor")
    check("what was queued is delivered after a restart", again.gets("while nobody reads"), again.seen)
    again.stop()
    check("a home that was added gets in after it", publish(broker.home("home3"), "home3/kitchen/temperature")[0] == 0)
    check("the others too, with their old passwords", publish(broker.home("home1"), "home1/kitchen/temperature")[0] == 0)


def main():
    if not security_plugin():
        return not_run("the broker of the cluster", "Mosquitto's dynamic-security plugin is not installed")
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        machine = Machine(directory / "machine")
        if machine.run("minikube-up", "--home", "home1", "--home", "home2", DOUBLE_ADDRESS="127.0.0.1") != 0:
            sys.exit(f"scripts/minikube-up made no secrets: {machine.output}")
        (directory / "broker").mkdir()
        broker = Broker(directory / "broker", machine)
        try:
            who_gets_in(broker, machine)
            who_may_what(broker)
            restart_keeps_what_is_queued(broker, machine)
        finally:
            broker.end()
        if checks.failed:
            print(broker.process.output()[-3000:])
    return end("broker")


if __name__ == "__main__":
    main()
