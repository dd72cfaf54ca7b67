#!/usr/bin/env python3
"""A dry run of scripts/minikube-up and scripts/minikube-down: minikube, kubectl and docker are doubles that write down
how they are called, openssl and python3 are the real ones. Called by scripts/test-kubernetes."""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import check, end, not_run
from manifests import SECRETS

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOUBLE = pathlib.Path(__file__).with_name("double.py")
DOUBLED = ("minikube", "kubectl", "docker", "openssl", "python3")


class Machine:
    """A home directory, doubles in PATH, and what they have seen."""

    def __init__(self, directory, lacking=()):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.memory = self.directory / "memory"
        self.programs = self.directory / "bin"
        self.memory.mkdir(parents=True, exist_ok=True)
        self.programs.mkdir()
        for folder in ("/usr/bin", "/bin"):
            for program in os.scandir(folder):
                link = self.programs / program.name
                if program.name not in DOUBLED and not link.is_symlink():
                    link.symlink_to(program.path)
        # The doubles run on this very Python, which has the YAML module. Not under the double's name: a virtual
        # environment finds its modules by the name it was started with.
        for program in DOUBLED:
            if program in lacking:
                continue
            (self.programs / program).write_text(f'#!/bin/bash\nexec {sys.executable} -c '
                                                 f'"import sys; sys.argv[0] = \'{program}\'; '
                                                 f'exec(open(\'{DOUBLE}\').read())" "$@"\n')
            (self.programs / program).chmod(0o755)

    def run(self, script="minikube-up", *arguments, **environment):
        (self.memory / "calls").unlink(missing_ok=True)
        (self.memory / "applied").unlink(missing_ok=True)
        real = {f"DOUBLE_{program.upper()}": shutil.which(program) for program in ("kubectl", "openssl")}
        result = subprocess.run(
            [ROOT / "scripts" / script, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={"PATH": str(self.programs), "HOME": str(self.directory), "HEARTH_STATE": str(self.state),
                 "DOUBLE_HOME": str(self.memory), "DOUBLE_PYTHON3": sys.executable, **real, **environment})
        self.output = result.stdout + result.stderr
        return result.returncode

    def lines(self, name):
        path = self.memory / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def calls(self):
        return [" ".join(call) for call in self.lines("calls")]

    def applied(self, kind):
        return [d["metadata"]["name"] for d in self.lines("applied") if d["kind"] == kind]

    @property
    def secrets(self):
        stored = json.loads((self.memory / "secrets.json").read_text())
        return {secret: {key: base64.b64decode(value) for key, value in data.items()} for secret, data in stored.items()}

    def text(self, path):
        return (self.state / path).read_text()

    def files(self):
        return {path: path.read_bytes() for path in self.state.rglob("*") if path.is_file()}


def in_order(calls, *patterns):
    """What is missing of the patterns, looked for one after the other."""
    position = 0
    for pattern in patterns:
        found = next((i for i in range(position, len(calls)) if re.search(pattern, calls[i])), None)
        if found is None:
            return f"nothing like '{pattern}' after call {position} of {calls}"
        position = found + 1
    return ""


def leaks(machine):
    """Secrets in the words of any call, hashed lines included."""
    secret = {value.decode().strip() for data in machine.secrets.values() for key, value in data.items()
              if key in ("password", "token")}
    secret |= {path.read_text() for path in (machine.state / "homes").rglob("cloud.password")}
    secret |= {line.rsplit("$", 1)[1] for line in machine.text("passwords").splitlines()}
    return [call for call in machine.calls for value in secret if value in call] + \
        [call for call in machine.calls if "PRIVATE KEY" in call]


def first_run(machine):
    code = machine.run()
    check("first run: succeeds", code == 0, machine.output[-2000:])
    missing = in_order(
        machine.calls, "docker info", "minikube .*status", "minikube .*start .*--cni calico", "kubectl .*get nodes",
        "minikube .* ip", "docker build .*--file cloud/Containerfile .*--target hearth-cloud", "docker tag",
        "minikube .*image ls", "minikube .*image load hearth-cloud:a1b2c3d4e5f6", "kubectl .*get secrets",
        "kubectl .*apply .*namespace.yaml", "kubectl .*create secret", "kubectl .*delete job --selector .*=setup",
        "kubectl kustomize cloud/overlays/minikube", *[f"rollout status statefulset/{p}-svc" for p in
                                                       ("mosquitto", "kafka", "influxdb")],
        "wait job --selector app.kubernetes.io/component=setup ", *[f"rollout status deployment/{p}" for p in
                                   ("ingestor", "p1-save", "p2-clean", "p4-aggregate")])
    check("first run: everything in its order", not missing, missing)
    check("first run: only Minikube's cluster is touched", not [
        c for c in machine.calls if c.startswith("kubectl") and "kustomize" not in c and "--context minikube " not in c])
    keys = {secret: set(data) for secret, data in machine.secrets.items()}
    check("first run: exactly the secrets that the manifests need", keys == SECRETS, keys)
    images = {c["image"] for d in machine.lines("applied") if d["kind"] in ("Deployment", "Job")
              for s in ("initContainers", "containers") for c in d["spec"]["template"]["spec"].get(s, [])}
    check("first run: the image that was built", "hearth-cloud:a1b2c3d4e5f6" in images and
          not any(image.startswith("hearth-cloud:0") for image in images), images)
    check("first run: no secret in any command line", not leaks(machine), leaks(machine))
    check("first run: secrets are long and only the owner's", len(machine.text("mqtt.password")) == 64 and not [
        path for path in machine.state.rglob("*") if path.suffix != ".crt" and path.stat().st_mode & 0o077])
    check("first run: says where everything is", all(text in machine.output for text in (
        "http://192.168.49.2:30086", machine.text("influxdb.password"), "192.168.49.2 port 30001",
        machine.text("homes/home1/hearthd.toml").splitlines()[0])), machine.output[-1500:])
    verify = subprocess.run(["openssl", "verify", "-CAfile", machine.state / "tls/ca.crt", "-verify_ip", "192.168.49.2",
                             machine.state / "tls/server.crt"], capture_output=True, text=True)
    check("first run: the broker's certificate is good for the address", verify.returncode == 0, verify.stderr)


def gateway_accepts(machine):
    programs = os.environ.get("HEARTH_BIN_DIR")
    if not programs:
        not_run("hearthd --check-config of the printed configuration", "HEARTH_BIN_DIR is not set")
        return
    result = subprocess.run([f"{programs}/hearthd", "--config", machine.state / "homes/home1/hearthd.toml",
                             "--check-config"], capture_output=True, text=True)
    check("hearthd accepts the configuration of the first home", result.returncode == 0, result.stdout + result.stderr)


def repeated_runs(machine):
    before, secrets = machine.files(), machine.secrets
    code = machine.run()
    check("second run: succeeds, and starts, loads and restarts nothing", code == 0 and not [
        c for c in machine.calls if re.search(r"minikube .*start|image load|rollout restart", c)], machine.calls)
    check("second run: no new secret", machine.applied("Secret") == [] and machine.secrets == secrets
          and machine.files() == before, machine.applied("Secret"))
    check("second run: the job is made anew", len(machine.applied("Job")) == 1 and not in_order(
        machine.calls, "delete job --selector", "kubectl .*apply .*--filename -", "wait job --selector"), machine.applied("Job"))

    machine.run("minikube-up", "--home", "home2")
    users = machine.secrets["hearth-mosquitto-users"]["passwords"].decode().splitlines()
    check("another home: only the users change, and the broker restarts",
          machine.applied("Secret") == ["hearth-mosquitto-users"] and not in_order(
              machine.calls, "kustomize", "rollout restart statefulset/mosquitto-svc", "rollout status"))
    check("another home: the first one's password stays", [line.split(":")[0] for line in users] ==
          ["hearth-cloud", "home1", "home2"] and users[:2] == secrets["hearth-mosquitto-users"][
              "passwords"].decode().splitlines(), users)
    check("another home: no secret in any command line", not leaks(machine))

    machine.run(DOUBLE_IMAGE="0123456789ab")
    check("a changed program: its image is loaded and used", not in_order(
        machine.calls, "image load hearth-cloud:0123456789ab", "kustomize") and machine.applied("Secret") == [])

    authority = machine.text("tls/ca.crt")
    machine.run(DOUBLE_ADDRESS="192.168.49.9")
    check("a changed address: another certificate of the same authority, in the homes' files too",
          machine.applied("Secret") == ["hearth-mosquitto-tls"] and machine.text("tls/ca.crt") == authority and
          'host = "192.168.49.9"' in machine.text("homes/home1/hearthd.toml"), machine.applied("Secret"))

    secrets = machine.secrets
    shutil.rmtree(machine.state)
    machine.run(DOUBLE_ADDRESS="192.168.49.9")
    check("files lost: what the cluster has is taken back, only the home's password is new",
          machine.applied("Secret") == ["hearth-mosquitto-users"] and
          machine.secrets["hearth-influxdb"] == secrets["hearth-influxdb"] and
          machine.secrets["hearth-mosquitto-tls"] == secrets["hearth-mosquitto-tls"], machine.applied("Secret"))


def failing_tools(directory):
    for tool in DOUBLED:
        machine = Machine(directory / f"without-{tool}", lacking=[tool])
        code = machine.run()
        check(f"without {tool}: says so and how to get it", code == 1 and f"missing: {tool}. Get it: " in machine.output and
              len(machine.calls) == 0, machine.output)
    machine = Machine(directory / "failing")
    for call, advice in (
            ("docker info", "systemctl start docker"), (" start ", "logs --problems"), (" get nodes ", "update-context"),
            (" ip ", "status"), ("docker build", "does not build"), (" image load ", "ssh df"),
            (" get secrets ", "auth can-i list secrets"), ("openssl req", "made no authority"),
            ("openssl x509 -req", "made no certificate"), ("namespace.yaml", "namespace hearth was not taken"),
            (" create secret ", "auth can-i create secrets"), (" delete job ", "run this again"),
            (" kustomize ", "were not taken"), ("statefulset/kafka-svc", "describe pods -l app.kubernetes.io/name=kafka"),
            (" wait job ", "hearth-setup is not ready")):
        code = machine.run(DOUBLE_FAIL=call)
        check(f"failing{call if call.startswith(' ') else ' ' + call}: says what to do", code == 1 and
              advice in machine.output, machine.output[-600:])
        if call == "openssl req":
            shutil.rmtree(machine.state, ignore_errors=True)
    check("and goes on where it failed", machine.run() == 0, machine.output[-600:])
    check("a secret that cannot be read is not replaced", lost_and_unreadable(machine), machine.output[-600:])
    for bad in ("hearth-cloud", "a/b", "+", ""):
        check(f"--home '{bad}' is refused", machine.run("minikube-up", "--home", bad) == 1 and not machine.calls)
    check("an unknown argument is refused", machine.run("minikube-up", "--hom", "x") == 1 and "usage" in machine.output)


def lost_and_unreadable(machine):
    before = machine.secrets
    shutil.rmtree(machine.state)
    code = machine.run(DOUBLE_FAIL=" get secret hearth-influxdb ")
    return code == 1 and "run this again" in machine.output and machine.secrets == before


def ending(machine):
    machine.run()
    machine.run("minikube-down")
    deletes = [c.split(" delete ")[1] for c in machine.calls if " delete " in c]
    everything = "deployments,statefulsets,cronjobs,jobs,services,ingresses,poddisruptionbudgets,networkpolicies,configmaps"
    check("minikube-down: ends all that runs, also what components brought", any(everything in d for d in deletes) and
          any("certificates.cert-manager.io" in d for d in deletes), deletes)
    check("minikube-down: keeps volumes, secrets and the namespace",
          not any(re.search("secret|persistentvolume|pvc|namespace", d) for d in deletes) and
          all("app.kubernetes.io/part-of=hearth" in d for d in deletes) and (machine.state / "mqtt.password").exists(), deletes)
    (machine.state / "mine").write_text("somebody else's")
    machine.run("minikube-down", "--purge")
    check("minikube-down --purge: deletes the namespace and its own files only", any(
        "delete namespace hearth" in c for c in machine.calls) and [
            path.name for path in machine.state.rglob("*")] == ["mine"], list(machine.state.rglob("*")))
    check("minikube-down: an unreachable cluster is explained", machine.run(
        "minikube-down", DOUBLE_FAIL=" get nodes ") == 1 and "does not answer" in machine.output, machine.output)


def main():
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        machine = Machine(directory / "machine")
        first_run(machine)
        gateway_accepts(machine)
        repeated_runs(machine)
        failing_tools(directory)
        ending(machine)
    end("minikube-up")


if __name__ == "__main__":
    main()
