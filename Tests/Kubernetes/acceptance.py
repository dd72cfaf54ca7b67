#!/usr/bin/env python3
"""The acceptance of the cloud side on a real cluster, the one that kubeconfig points to. Called by
`scripts/test-kubernetes --cluster`; Tests/Kubernetes/README.md says what it needs and prints.

Everything is applied into an empty namespace `hearth`, which is deleted at the end. A home on this machine comes in over the
node's port. Pods are deleted at random, broker, log and database are taken away and come back, the node is drained of
Hearth's pods. Then what was read at home is compared with what InfluxDB has, reading by reading."""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import types
import urllib.parse
import urllib.request

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.brokers import Mosquitto
from House.checks import Failure, fail, ok
from House.processes import Process, free_port, wait_for
from House.readings import difference, means, readings

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = "acceptance"
PART = "app.kubernetes.io/part-of=hearth"
SET_UP = "app.kubernetes.io/component=setup"
STATEFUL, SERVICES = ("mosquitto-svc", "kafka-svc", "influxdb-svc"), ("ingestor", "p1-save", "p2-clean", "p4-aggregate")


class Refused(Failure):
    """The acceptance cannot go on; what it says is for a person."""


class Cluster:
    """Kubernetes by kubectl."""

    def kubectl(self, *arguments, fails=False, **options):
        """Standard output. With `fails`, None where kubectl ends with an error."""
        result = subprocess.run(["kubectl", *arguments], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.DEVNULL if fails else None, **options)
        if result.returncode == 0:
            return result.stdout
        if fails:
            return None
        raise Refused(f"kubectl {' '.join(arguments)} ended with {result.returncode}; its words are above")

    def hearth(self, *arguments, **options):
        return self.kubectl("--namespace", "hearth", *arguments, **options)

    def require_empty(self):
        """Pods are deleted at random: nobody's own installation may be hit."""
        if self.kubectl("get", "namespace", "hearth", fails=True) is not None:
            raise Refused("the namespace hearth is there already, and this test deletes pods in it: name another cluster by KUBECONFIG")

    def address(self):
        words = self.kubectl("get", "nodes", "--output", 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
        return words.split()[0]

    def apply(self, overlay, image, secrets):
        self.kubectl("apply", "--server-side", "--filename", "cloud/base/namespace.yaml", cwd=ROOT)
        for name, pairs in secrets.items():
            self.hearth("create", "secret", "generic", name, *(f"--from-file={key}={file}" for key, file in pairs.items()))
        manifests = self.kubectl("kustomize", overlay, cwd=ROOT)
        if image:
            manifests = re.sub(r"image: (\S*/)?hearth-cloud:\S+", f"image: {image}", manifests)
        self.kubectl("apply", "--server-side", "--force-conflicts", "--filename", "-", input=manifests, cwd=ROOT)

    def wait_until_ready(self):
        for name in STATEFUL:
            self.hearth("rollout", "status", f"statefulset/{name}", "--timeout", "15m")
        for name in SERVICES:
            self.hearth("rollout", "status", f"deployment/{name}", "--timeout", "10m")

    def wait_for_set_up(self):
        self.hearth("wait", "job", "--selector", SET_UP, "--for", "condition=complete", "--timeout", "15m")

    def pods(self):
        listed = self.hearth("get", "pods", "--selector", PART, "--field-selector", "status.phase=Running", "--output", "name")
        return sorted(line.removeprefix("pod/") for line in listed.split() if "hearth-settings" not in line)

    def delete(self, pod, by_force):
        """False where it has gone by itself meanwhile."""
        force = ["--grace-period=0", "--force"] if by_force else []
        return self.hearth("delete", "pod", pod, "--wait=false", *force, fails=True) is not None

    def scale(self, name, replicas):
        self.hearth("scale", f"statefulset/{name}", f"--replicas={replicas}")
        if replicas == 0:
            self.hearth("wait", "pod", f"{name}-0", "--for=delete", "--timeout", "120s")
        else:
            self.hearth("rollout", "status", f"statefulset/{name}", "--timeout", "10m")

    def drain(self):
        """The first node's Hearth pods only, through their budgets; it takes pods again afterwards, whatever happens."""
        node = self.kubectl("get", "nodes", "--output", "name").split()[0].removeprefix("node/")
        try:
            self.kubectl("drain", node, "--pod-selector", PART, "--delete-emptydir-data", "--ignore-daemonsets", "--timeout", "300s")
        finally:
            self.kubectl("uncordon", node)


class Home:
    """A home on this machine: broker, sensors and pumps, gateway, and an observer that writes down what was read."""

    def __init__(self, directory, programs, secrets, host, port):
        self.directory, self.programs, self.processes = directory, pathlib.Path(programs), []
        self.report, self.socket = directory / "report", directory / "hearthd.sock"
        local = free_port()
        (directory / "hearthd.toml").write_text(
            f'home = "{HOME}"\n[local]\nport = {local}\n[cloud]\nhost = "{host}"\nport = {port}\nusername = "{HOME}"\n'
            f'password_file = "{secrets}/homes/{HOME}.password"\n[cloud.tls]\nca = "{secrets}/ca.crt"\n'
            f'[journal]\npath = "{directory}/journal.sqlite"\n[control]\nsocket = "{self.socket}"\n')
        self.broker = Mosquitto(
            directory, "mosquitto", f"listener {local} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nupgrade_outgoing_qos true\n",
            [local])
        self.start(self.programs / "hearth-sim", "observe", "--port", local, "--report", self.report)
        wait_for(self.observes, 30, "the observer at home", every=0.2)
        self.start(self.programs / "hearthd", "--config", directory / "hearthd.toml")
        wait_for(lambda: self.status().count('"connected"') >= 3, 60, f"hearthd at {host}:{port}", every=0.2)
        self.sensors = self.start(self.programs / "hearth-sim", "home", "--port", local, "--speed", "1", "--interval", "0.2")

    def start(self, *command):
        self.processes.append(Process(command, self.directory / "log"))
        return self.processes[-1]

    def observes(self):
        last = (self.directory / "log").read_text().rstrip().rpartition("\n")[2]
        return " readings" in last and "no broker" not in last

    def status(self):
        result = subprocess.run([self.programs / "hearth", "status", "--socket", self.socket, "--json"], capture_output=True, text=True)
        return re.sub(r'"\s*:\s*', '":', result.stdout)

    def backlog(self):
        found = re.search(r'"backlog":(\d+)', self.status())
        return int(found[1]) if found else -1

    def readings(self):
        """{(room, ns): value} of what the home's broker delivered."""
        lines = [line.split("\t", 1) for line in self.report.read_text().splitlines() if "\t" in line]
        return readings(types.SimpleNamespace(topic=topic, payload=payload) for topic, payload in lines)

    def end(self):
        for process in [*reversed(self.processes), self.broker.process]:
            process.stop()


class Influx:
    """What InfluxDB has of the home, by InfluxQL, which 2.x answers for its buckets too."""

    def __init__(self, host, port, token):
        self.address, self.token = f"http://{host}:{port}", token

    def points(self, bucket, measurement, field):
        """{(room, ns): value} and what is there twice: two series may not have one room's moment."""
        query = urllib.parse.urlencode({"db": bucket, "epoch": "ns", "q": f"SELECT \"{field}\" FROM \"{measurement}\" WHERE home = '{HOME}' GROUP BY *"})
        request = urllib.request.Request(f"{self.address}/query?{query}", headers={"Authorization": f"Token {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            result = json.load(answer)["results"][0]
        if "error" in result:
            raise Refused(f"InfluxDB: {result['error']}")
        found, twice = {}, []
        for series in result.get("series", []):
            for at, value in series["values"]:
                key = (series["tags"].get("room", ""), at)
                twice += [key] if key in found else []
                found[key] = value
        return found, twice


def differences(read, influx):
    """What is missing, surplus, different or twice, in words; and the numbers of readings, clean readings and means."""
    raw, twice = influx.points("raw", "raw_temperature", "value")
    clean, clean_twice = influx.points("clean", "temperature_clean", "value")
    averages, means_twice = influx.points("aggregate", "home_avg_temperature", "avg_temp")
    wanted = {key: value for key, value in read.items() if value != 100}
    found = difference(raw, read, read, "raw") + difference(clean, wanted, wanted, "clean")
    found += difference(averages, means(wanted), means(wanted), "means")
    found += [f"{what}: twice {keys[:3]}" for what, keys in (("raw", twice), ("clean", clean_twice), ("means", means_twice)) if keys]
    return found, (len(read), len(wanted), len(means(wanted)))


def disturb(cluster, home, options):
    chance, deleted = random.Random(options.seed), 0
    while deleted < options.deletions:
        pods = cluster.pods()
        if not pods:
            raise Refused("no pod runs")
        deleted += cluster.delete(chance.choice(pods), by_force=chance.random() < 0.5)
        time.sleep(options.pause)
    cluster.wait_until_ready()
    ok(f"{deleted} pods deleted, by force and with grace (seed {options.seed}); all are ready again")
    for name, what in zip(STATEFUL, ("broker", "log", "database")):
        cluster.scale(name, 0)
        time.sleep(options.outage)
        waiting = home.backlog()
        if name != "influxdb-svc" and waiting <= 0:
            raise Refused(f"the {what} was away for {options.outage:g} s and nothing waits at home: it was not away")
        cluster.scale(name, 1)
        ok(f"the {what} was away for {options.outage:g} s; {waiting} waited at home")
    cluster.drain()
    cluster.wait_until_ready()
    ok("the node was drained of Hearth's pods; all are ready again")


def settle(home, influx, seconds):
    """Ends the sensors and waits until nothing waits at home and the database has it all, or time is over."""
    home.sensors.terminate()
    wait_for(lambda: home.backlog() == 0, seconds, "the home's backlog has drained", every=0.2)
    ok("the home's backlog has drained")
    deadline = time.monotonic() + seconds
    while True:
        found, counts = differences(home.readings(), influx)
        if not found or time.monotonic() > deadline:
            return found, counts
        time.sleep(0.5)


def secrets_in(directory):
    files = {"hearth-mosquitto-tls": ("ca.crt=ca.crt", "tls.crt=server.crt", "tls.key=server.key"),
             "hearth-mosquitto-users": ("passwords=passwords", "rights.json=rights.json"), "hearth-mqtt": ("password=mqtt.password",),
             "hearth-influxdb": ("username=influxdb.username", "password=influxdb.password", "token=influxdb.token"),
             "hearth-grafana": ("username=influxdb.username", "password=influxdb.password")}
    return {name: {key: f"{directory}/{file}" for key, file in (pair.split("=") for pair in pairs)} for name, pairs in files.items()}


def run(options, directory):
    cluster, home = Cluster(), None
    print(f"cluster {cluster.kubectl('config', 'current-context').strip()}", flush=True)
    cluster.require_empty()
    address = options.node or cluster.address()
    secrets = pathlib.Path(options.secrets or directory / "secrets")
    subprocess.run([ROOT / "scripts/cloud-secrets", secrets, "--address", address, "--home", HOME], check=True)
    try:
        cluster.apply(options.overlay, options.image, secrets_in(secrets))
        cluster.wait_for_set_up()
        cluster.wait_until_ready()
        ok("everything is up")
        home = Home(directory, options.programs, secrets, address, options.mqtt_port)
        ok(f"a home is connected to {address}:{options.mqtt_port} over TLS")
        disturb(cluster, home, options)
        influx = Influx(address, options.influx_port, (secrets / "influxdb.token").read_text().strip())
        found, (raw, clean, averages) = settle(home, influx, options.settle)
    finally:
        if home:
            home.end()
        log = directory / "log"
        if sys.exc_info()[0] and log.exists():
            print("the home's last words:\n" + "\n".join(log.read_text().splitlines()[-15:]))
        if not options.keep:
            cluster.kubectl("delete", "namespace", "hearth", "--ignore-not-found", fails=True)
    if found or not raw:
        raise Refused("\n        ".join(found) or "nothing was read: the run proved nothing")
    print(f"acceptance: passed: {raw} readings, {clean} clean ones and {averages} means compared one by one: none missing, none twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", default=os.environ.get("HEARTH_BIN_DIR"), help="hearthd, hearth, hearth-sim (HEARTH_BIN_DIR)")
    parser.add_argument("--overlay", default="cloud/overlays/minikube", help="what is applied; it has to publish the two ports")
    parser.add_argument("--image", help="the image of hearth-cloud where the cluster finds it; default: as in the overlay")
    parser.add_argument("--node", help="the node's address from here; default: its InternalIP")
    parser.add_argument("--mqtt-port", type=int, default=30001)
    parser.add_argument("--influx-port", type=int, default=30086)
    parser.add_argument("--secrets", help="a directory of scripts/cloud-secrets; default: a temporary one")
    parser.add_argument("--deletions", type=int, default=30)
    parser.add_argument("--pause", type=float, default=8, help="seconds between two deletions")
    parser.add_argument("--outage", type=float, default=60, help="seconds that broker, log and database are away")
    parser.add_argument("--settle", type=float, default=300, help="seconds in which all has to arrive")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="leave the namespace as it is in the end")
    options = parser.parse_args()
    if not options.programs:
        parser.error("HEARTH_BIN_DIR names no directory with hearthd, hearth and hearth-sim")
    try:
        with tempfile.TemporaryDirectory(prefix="hearth-") as directory:
            run(options, pathlib.Path(directory))
    except (Failure, OSError, subprocess.CalledProcessError) as error:
        fail(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
