#!/usr/bin/env python3
"""The acceptance for a real cluster, run against a double of kubectl: the sequence of its commands, and that a reading which is
missing, doubled or different makes it fail. Broker, hearth-cloud and InfluxDB behind the double are real ones of this machine, so
that an outage is one. Called by scripts/test-kubernetes; needs the programs in HEARTH_BIN_DIR."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.brokers import Mosquitto
from House.checks import check, end, not_run
from House.cloud import settings
from House.databases import Influx
from House.processes import Process, free_port
from test_minikube_up import in_order

ROOT = pathlib.Path(__file__).resolve().parents[2]

PODS = ["mosquitto-svc-0", "kafka-svc-0", "influxdb-svc-0", "ingestor-1", "p1-save-1", "p2-clean-1", "p4-aggregate-1", "hearth-settings-x-1"]


class Cloud:
    """What the double's cluster would run, as processes, and a kubectl that knows them."""

    def __init__(self, directory, programs):
        self.directory, self.programs = directory, programs
        self.secrets, self.memory = directory / "secrets", directory / "memory"
        self.memory.mkdir(parents=True)
        subprocess.run([ROOT / "scripts/cloud-secrets", self.secrets, "--home", "acceptance"], check=True)
        self.tls, self.plain = free_port(), free_port()
        # Whose password is whose is test_broker.py's; here everybody may come in.
        broker = Mosquitto(
            directory, "broker", "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n"
            f"listener {self.plain} 127.0.0.1\nlistener {self.tls} 127.0.0.1\ncafile {self.secrets}/ca.crt\n"
            f"certfile {self.secrets}/server.crt\nkeyfile {self.secrets}/server.key\n", [self.plain, self.tls])
        self.influx = Influx(directory)
        environment = settings(directory, self.plain, self.influx.port, HTTP_PORT=str(free_port()))
        subprocess.run([programs / "hearth-cloud", "setup"], env={**os.environ, **environment}, check=True, capture_output=True)
        serve = Process([programs / "hearth-cloud", "serve"], directory / "serve.log", environment)
        self.processes = {"mosquitto-svc": broker.process, "kafka-svc": serve, "influxdb-svc": self.influx.process}
        (directory / "bin").mkdir()
        double = pathlib.Path(__file__).with_name("double.py")
        (directory / "bin/kubectl").write_text(f'#!/bin/bash\nexec {sys.executable} -c "import sys; sys.argv[0] = \'kubectl\'; '
                                               f'exec(open(\'{double}\').read())" "$@"\n')
        (directory / "bin/kubectl").chmod(0o755)
        (self.memory / "pids").write_text(json.dumps({name: process.pid for name, process in self.processes.items()}))
        (self.memory / "pods").write_text(json.dumps(PODS))

    def accept(self, *arguments, **environment):
        (self.memory / "calls").unlink(missing_ok=True)
        command = [sys.executable, ROOT / "Tests/Kubernetes/acceptance.py", "--programs", self.programs, "--secrets", self.secrets,
                   "--mqtt-port", self.tls, "--influx-port", self.influx.port, "--pause", 0.05, "--outage", 2, "--settle", 20, *arguments]
        result = subprocess.run(
            [str(word) for word in command], cwd=ROOT, capture_output=True, text=True,
            env={**os.environ, "PATH": f"{self.directory}/bin:{os.environ['PATH']}", "DOUBLE_HOME": str(self.memory),
                 "DOUBLE_KUBECTL": shutil.which("kubectl"), **environment})
        self.output = result.stdout + result.stderr
        return result.returncode

    @property
    def calls(self):
        return [" ".join(json.loads(line)) for line in (self.memory / "calls").read_text().splitlines()]

    def forget(self):
        """The next run's home is a new one in an empty database."""
        for bucket in ("raw", "clean", "aggregate"):
            self.influx.query("DROP SERIES FROM /.*/", bucket)

    def end(self):
        for process in self.processes.values():
            process.end()


def check_whole_run(cloud):
    code = cloud.accept("--image", "registry.example.org/hearth-cloud:1.2.3", "--seed", "7")
    check("the acceptance passes", code == 0, cloud.output[-2000:])
    if code:
        return
    numbers = re.search(r"^acceptance: passed: (\d+) readings, (\d+) clean ones and (\d+) means compared one by one: none missing, none twice$",
                        cloud.output, re.MULTILINE)
    check("it says what it compared", numbers and all(int(number) > 0 for number in numbers.groups()), cloud.output)
    calls = cloud.calls
    outages = [step for name in ("mosquitto", "kafka", "influxdb") for step in (
        f"scale statefulset/{name}-svc --replicas=0", f"wait pod {name}-svc-0 --for=delete", f"scale statefulset/{name}-svc --replicas=1",
        f"rollout status statefulset/{name}-svc")]
    missing = in_order(
        calls, "current-context", "get namespace hearth", "get nodes", "apply .*namespace.yaml", "create secret generic hearth-mosquitto-tls",
        "kustomize cloud/overlays/minikube", "apply .*--filename -", "wait job --selector", "rollout status deployment/p4-aggregate",
        *["delete pod .*--wait=false"] * 30, "rollout status", *outages, "drain double --pod-selector app.kubernetes.io/part-of=hearth",
        "uncordon double", "rollout status", "delete namespace hearth")
    check("its commands come in their order", not missing, missing)
    deletions = [call for call in calls if "delete pod" in call]
    check("30 deletions, some by force, of every workload, and none of the set-up Job", len(deletions) == 30 and
          0 < sum("--force" in call for call in deletions) < 30 and
          {pod for pod in PODS if any(f" {pod} " in call for call in deletions)} == set(PODS[:-1]), deletions)
    applied = [json.loads(line) for line in (cloud.memory / "applied").read_text().splitlines()]
    images = {c["image"] for d in applied if d["kind"] == "Deployment" for c in d["spec"]["template"]["spec"]["containers"]}
    check("the image is the one that was asked for", images == {"registry.example.org/hearth-cloud:1.2.3"}, images)


def check_failures(cloud):
    """The database is changed when everything has been disturbed; each change has to be found."""
    address = f"http://127.0.0.1:{cloud.influx.port}"
    query = f"curl --silent --fail --output /dev/null {address}/query?db=raw --data-urlencode"
    write = f"curl --silent --fail {address}/write?db=raw --data-binary"
    newest = (f"at=$(curl --silent '{address}/query?db=raw&epoch=ns' --data-urlencode "
              "\"q=SELECT last(value) FROM raw_temperature WHERE room = 'office'\" | grep --only-matching '[0-9]\\{19\\}')")
    for what, change, complaint in (
            ("a missing reading", f'{query} "q=DELETE FROM raw_temperature WHERE room = \'office\' AND time = $at"', "raw: .* missing 1,"),
            ("a reading under another time", f'{write} "raw_temperature,home=acceptance,room=office value=20 $((at + 1))"', "not wanted 1,"),
            ("a reading with another value", f'{write} "raw_temperature,home=acceptance,room=office value=-7.5 $at"', "different 1:"),
            ("a reading twice", f'{write} "raw_temperature,home=acceptance,room=office,copy=2 value=20 $at"', "raw: twice ")):
        cloud.forget()
        code = cloud.accept("--deletions", 1, "--outage", 1, "--settle", 3, DOUBLE_AT_UNCORDON=f"{newest}; {change}")
        check(f"{what} makes it fail", code == 1 and re.search(complaint, cloud.output) and "passed" not in cloud.output, cloud.output[-1500:])
    cloud.forget()
    code = cloud.accept("--deletions", 1, "--outage", 1, DOUBLE_FAIL=" drain ")
    check("a drain that fails: the node takes pods again, the namespace goes", code == 1 and not in_order(
        cloud.calls, " drain ", "uncordon", "delete namespace hearth"), cloud.output[-1500:])
    (cloud.memory / "pids").write_text("{}")
    code = cloud.accept("--deletions", 1, "--outage", 1)
    check("an outage that is none makes it fail", code == 1 and "it was not away" in cloud.output, cloud.output[-1500:])
    (cloud.memory / "namespace").write_text("true")
    code = cloud.accept()
    check("somebody's own namespace is not touched", code == 1 and "another cluster" in cloud.output and not [
        call for call in cloud.calls if "delete" in call or "apply" in call], cloud.output[-1500:])


def main():
    programs = os.environ.get("HEARTH_BIN_DIR")
    if not programs or not all(shutil.which(tool) for tool in ("mosquitto", "influxd", "curl")):
        return not_run("the acceptance against doubles", "HEARTH_BIN_DIR is not set, or mosquitto, influxd or curl is missing")
    with tempfile.TemporaryDirectory() as directory:
        cloud = Cloud(pathlib.Path(directory), pathlib.Path(programs))
        try:
            check_whole_run(cloud)
            check_failures(cloud)
        finally:
            cloud.end()
    return end("acceptance")


if __name__ == "__main__":
    main()
