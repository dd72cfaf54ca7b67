#!/usr/bin/env python3
"""scripts/cloud-home: a home let in and out of a running cloud in one step, with compose and on Kubernetes, where the broker cannot
write its rights' file and is not restarted. The broker is a real Mosquitto with the cluster's rights; `docker` and the streams of
`kubectl` are doubles that run here what the container would, everything else of kubectl is the real one at a double of the API.
Called by scripts/test-kubernetes."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
sys.path.append(__file__.rsplit("/", 2)[0] + "/Kubernetes")
import rights
from api import API
from House.brokers import MOSQUITTO, security_plugin
from House.checks import check, end, not_run
from House.processes import Process, free_port, listening, wait_for
from manifests import render

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.join(os.environ.get("HEARTH_BIN_DIR", ""), "hearth-cloud")
# Runs what stands behind the name of a container, with its broker's port.
DOUBLE = """#!/bin/bash
case " $* " in
*" exec "*) ;;
*) exec {kubectl} "$@" ;;
esac
while [[ $1 != exec ]]; do shift; done
shift
while [[ $1 == -* ]]; do shift; done
echo "$1" >>{directory}/asked
shift
[[ $1 != --container ]] || shift 2
[[ $1 != -- ]] || shift
words=("${{@//-p 1883/-p {port}}}")
words=("${{words[@]/#\\/usr\\/bin\\/hearth-cloud/{program}}}")
MQTT_HOST=127.0.0.1 MQTT_PORT={port} MQTT_USERNAME=hearth-cloud MQTT_PASSWORD_FILE={made}/mqtt.password exec "${{words[@]}}"
"""


class Cloud:
    def __init__(self, directory, plugin, place):
        self.directory, self.place, self.made, self.port = directory, place, directory / "made", free_port()
        subprocess.run([ROOT / "scripts/cloud-secrets", self.made, "--home", "home1"], check=True, capture_output=True)
        self.users = directory / "users"
        self.users.mkdir()
        (directory / "mosquitto.conf").write_text(
            f"allow_anonymous false\nplugin {plugin}\nplugin_opt_config_file {self.users}/rights.json\nuser root\nlistener {self.port} 127.0.0.1\n")
        self.api = API(render("cloud/overlays/minikube"))
        self.environment = {**os.environ, "PATH": f"{directory}/bin:{os.environ['PATH']}",
                            "KUBECONFIG": str(self.api.kubeconfig(directory / "kubeconfig"))}
        for command in ("kubectl apply --server-side -f cloud/base/namespace.yaml", "kubectl apply --server-side -k cloud/overlays/minikube"):
            subprocess.run(command.split(), env=self.environment, check=True, capture_output=True, cwd=ROOT)
        (directory / "bin").mkdir()
        for name in ("kubectl", "docker"):
            double = directory / "bin" / name
            double.write_text(DOUBLE.format(kubectl=shutil.which("kubectl"), directory=directory, port=self.port, made=self.made,
                                            program=PROGRAM.replace("/", "\\/")))
            double.chmod(0o755)
        # What a list of processes would show.
        (directory / "bin/mosquitto_rr").write_text(f'#!/bin/sh\necho "$@" >>{directory}/arguments\nexec {shutil.which("mosquitto_rr")} "$@"\n')
        (directory / "bin/mosquitto_rr").chmod(0o755)
        self.start()

    def start(self):
        """With the rights as they would be mounted at its start, where it cannot change them."""
        if self.place == "kubernetes" and self.secret():
            (self.users / "rights.json").write_bytes(base64.b64decode(self.secret()["rights.json"]))
        else:
            shutil.copy(self.made / "rights.json", self.users / "rights.json")
        script = f"mount --bind {self.users} {self.users} && mount -o remount,ro,bind {self.users} && exec {MOSQUITTO} -c {self.directory}/mosquitto.conf"
        self.broker = Process(["unshare", "--mount", "sh", "-c", script], self.directory / "broker.log")
        wait_for(lambda: listening(self.port), 20, "the broker listens")

    def restart(self):
        self.broker.terminate()
        self.start()

    def secret(self):
        found = [secret for secret in self.api.of("Secret") if secret["metadata"]["name"] == "hearth-mosquitto-users"]
        return found[0]["data"] if found else None

    def step(self, *words):
        return subprocess.run([ROOT / "scripts/cloud-home", *words, f"--{self.place}"], env=self.environment, capture_output=True,
                              text=True, timeout=60)

    def gets_in(self, home):
        password = self.made / f"homes/{home}.password"
        words = ["-p", str(self.port), "-u", home, "-P", password.read_text() if password.exists() else self.known, "-i", f"{home}-test"]
        self.known = words[5]
        return rights.is_taken(words, f"{home}/office/temperature")


def check_place(directory, plugin, place):
    cloud = Cloud(directory, plugin, place)
    pid = cloud.broker.pid
    check(f"{place}: a home of the first start gets in", cloud.gets_in("home1"))
    before = (cloud.made / "homes/home1.password").read_text()
    result = cloud.step("add", "cottage", str(cloud.made), "--certificate")
    check(f"{place}: a home is added", result.returncode == 0, result.stderr[-600:])
    check(f"{place}: it gets in at once", cloud.gets_in("cottage"), cloud.broker.output()[-600:])
    files = {path.name: path.stat().st_mode & 0o777 for path in (cloud.made / "homes").glob("cottage.*")}
    check(f"{place}: with a password and a certificate of its own", set(files) == {"cottage.password", "cottage.crt", "cottage.key"}, str(files))
    verified = subprocess.run(["openssl", "verify", "-CAfile", cloud.made / "ca.crt", cloud.made / "homes/cottage.crt"], capture_output=True)
    check(f"{place}: the certificate is the authority's", verified.returncode == 0)
    shown = result.stdout + result.stderr + (directory / "arguments").read_text()
    secrets = [(cloud.made / name).read_text() for name in ("homes/cottage.password", "admin.password")]
    check(f"{place}: no secret is shown, nor is one an argument", not [secret for secret in secrets if secret in shown])
    check(f"{place}: a second time changes nothing", cloud.step("add", "cottage", str(cloud.made)).returncode == 0 and cloud.gets_in("cottage"))
    check(f"{place}: the others stay as they are", cloud.gets_in("home1") and (cloud.made / "homes/home1.password").read_text() == before)
    check(f"{place}: the broker was not restarted", cloud.broker.running() and cloud.broker.pid == pid)
    cloud.restart()
    check(f"{place}: its next start knows the home", cloud.gets_in("cottage"))
    result = cloud.step("revoke", "cottage", str(cloud.made))
    check(f"{place}: a home is revoked", result.returncode == 0, result.stderr[-600:])
    check(f"{place}: it is out at once", not cloud.gets_in("cottage"))
    check(f"{place}: the other is not", cloud.gets_in("home1"))
    cloud.restart()
    check(f"{place}: its next start does not know it", not cloud.gets_in("cottage") and cloud.gets_in("home1"))
    for name in ("hearth-cloud", "hearth-admin", "a/b", "+", "-x", ".x", "$SYS", "a b"):
        result = cloud.step("add", name, str(cloud.made))
        check(f"{place}: {name!r} is no home's name", result.returncode != 0 and not (cloud.made / f"homes/{name}.password").exists())
    (cloud.made / "admin.password").write_text("guess")
    result = cloud.step("add", "villa", str(cloud.made))
    check(f"{place}: where the broker does not know hearth-admin it is said", result.returncode != 0 and "hearth-admin" in result.stderr)
    if os.access(PROGRAM, os.X_OK):
        result = cloud.step("list")
        check(f"{place}: homes are listed", result.returncode == 0 and "0 homes" in result.stdout, result.stdout + result.stderr)
    else:
        not_run("scripts/cloud-home list", "HEARTH_BIN_DIR names no programs")
    asked = set((cloud.directory / "asked").read_text().split())
    named = {"compose": {"mosquitto", "serve"}, "kubernetes": {"statefulset/mosquitto-svc", "deployment.apps/ingestor"}}[place]
    check(f"{place}: it asks what there is", asked <= named, str(asked))
    cloud.broker.end()


def main():
    plugin = security_plugin()
    if not plugin:
        return not_run("scripts/cloud-home", "Mosquitto's dynamic-security plugin is not here")
    for place in ("compose", "kubernetes"):
        with tempfile.TemporaryDirectory() as name:
            check_place(pathlib.Path(name), plugin, place)
    return end("cloud-home")


if __name__ == "__main__":
    main()
