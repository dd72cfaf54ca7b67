"""A dry run of scripts/minikube-up with doubles of minikube, kubectl and docker that write down how they were called:
order, idempotence, no secret on a command line, a way out of every failure."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDRESS = "192.168.49.2"

# Remembers its calls; knows as much of a cluster as the script asks for.
DOUBLE = """#!{python}
import json, os, pathlib, sys
state = pathlib.Path({state!r})
tool, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
standard_input = sys.stdin.read() if "--filename" in arguments and "-" in arguments else ""
with open(state / "calls", "a") as calls:
    calls.write(json.dumps([tool] + arguments) + "\\n")
line = " ".join([tool] + arguments)
if os.environ.get("FAIL") and os.environ["FAIL"] in line:
    print("simulated failure", file=sys.stderr)
    sys.exit(1)
if tool == "minikube":
    if "status" in arguments and not (state / "running").exists():
        sys.exit(7)
    if "start" in arguments:
        (state / "running").touch()
    if "ip" in arguments:
        print({address!r})
if tool == "kubectl":
    if "create" in arguments:
        name = arguments[arguments.index("generic") + 1]
        files = [a.split("=", 2)[2] for a in arguments if a.startswith("--from-file=")]
        print(json.dumps({{"name": name, "data": [pathlib.Path(f).read_text() for f in files]}}))
    if "apply" in arguments and standard_input:
        secret = json.loads(standard_input)
        (state / ("secret-" + secret["name"])).write_text(standard_input)
    if "get" in arguments and "secret" in arguments:
        for name in ("mosquitto-passwords", "mosquitto-tls"):
            path = state / ("secret-" + name)
            print(path.read_text() if path.exists() else "", end="")
"""

failures = []


def check(condition, what):
    print(f"{'ok  ' if condition else 'FAIL'} {what}")
    if not condition:
        failures.append(what)


class Stage:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.bin = self.directory / "bin"
        self.secrets = self.directory / "secrets"
        self.state.mkdir()
        self.bin.mkdir()
        text = DOUBLE.format(python=sys.executable, state=str(self.state), address=ADDRESS)
        for tool in ("minikube", "kubectl", "docker"):
            (self.bin / tool).write_text(text)
            (self.bin / tool).chmod(0o755)

    def run(self, *arguments, fail=None, without=None):
        (self.state / "calls").write_text("")
        path = f"{self.bin}:{os.environ['PATH']}"
        if without:
            # Everything that is usually there, except that one tool.
            path = str(self.directory / f"without-{without}")
            os.makedirs(path, exist_ok=True)
            for place in [self.bin] + os.environ["PATH"].split(":"):
                if os.path.isdir(place):
                    for tool in os.listdir(place):
                        if tool != without and not os.path.lexists(f"{path}/{tool}"):
                            os.symlink(f"{place}/{tool}", f"{path}/{tool}")
        environment = dict(os.environ, PATH=path, HEARTH_SECRETS=str(self.secrets))
        if fail:
            environment["FAIL"] = fail
        result = subprocess.run([ROOT / "scripts/minikube-up", *arguments], env=environment, capture_output=True, text=True)
        self.calls = [json.loads(line) for line in (self.state / "calls").read_text().splitlines()]
        return result

    def position(self, *words):
        return next((i for i, call in enumerate(self.calls) if all(w in call for w in words)), None)

    def hashes(self):
        return {str(p.relative_to(self.secrets)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in self.secrets.rglob("*") if p.is_file()}


def main():
    with tempfile.TemporaryDirectory() as directory:
        stage = Stage(directory)
        first_run(stage)
        again(stage)
        another_home(stage)
        ways_out(stage)
    print(f"{len(failures)} failures" if failures else "minikube-up: everything as it should be")
    return 1 if failures else 0


def first_run(stage):
    result = stage.run()
    check(result.returncode == 0, f"the first run succeeds{result.stderr[-400:] if result.returncode else ''}")
    order = [
        stage.position("minikube", "start"), stage.position("docker", "build"), stage.position("minikube", "image", "load"),
        stage.position("kubectl", "apply", "cloud/base/namespace.yaml"), stage.position("kubectl", "create", "influxdb-admin"),
        stage.position("kubectl", "delete", "job"), stage.position("kubectl", "apply", "--kustomize"),
        stage.position("kubectl", "rollout", "statefulset/kafka"), stage.position("kubectl", "wait", "job/setup"),
        stage.position("kubectl", "rollout", "deployment/p4-aggregate"),
    ]
    check(None not in order and order == sorted(order), "cluster, image, namespace, secrets, resources, waiting: in this order")
    check(stage.position("kubectl", "rollout", "restart", "statefulset/mosquitto") is not None, "the broker learns its passwords")
    values = [p.read_text() for p in stage.secrets.rglob("*password") if p.is_file()] + [
        (stage.secrets / "influxdb.token").read_text(), (stage.secrets / "ca.key").read_text()]
    words = json.dumps(stage.calls)
    check(all(value not in words for value in values), f"none of {len(values)} secrets is on a command line")
    check((stage.secrets / "ca.key").stat().st_mode & 0o077 == 0, "the authority's key is its owner's alone")
    check(f"http://{ADDRESS}:30086" in result.stdout and f"{ADDRESS}:30001" in result.stdout, "says where InfluxDB and the door are")
    text = (stage.secrets / "homes/home1.toml").read_text()
    check(f'host = "{ADDRESS}"' in text and "port = 30001" in text, "writes a home's configuration")
    hearthd = pathlib.Path(os.environ.get("HEARTH_BIN_DIR", "/nonexistent")) / "hearthd"
    if hearthd.exists():
        here = text.replace("/etc/hearth/cloud.password", str(stage.secrets / "homes/home1.password"))
        here = here.replace("/etc/hearth/cloud-ca.crt", str(stage.secrets / "ca.crt"))
        (stage.directory / "home.toml").write_text(here)
        verdict = subprocess.run([hearthd, "--config", stage.directory / "home.toml", "--check-config"], capture_output=True, text=True)
        check(verdict.returncode == 0, f"which hearthd accepts{verdict.stderr[-300:] if verdict.returncode else ''}")


def again(stage):
    before = stage.hashes()
    result = stage.run("--no-build")
    check(result.returncode == 0, "a second run succeeds")
    check(stage.hashes() == before, "and changes no secret")
    check(stage.position("minikube", "start") is None and stage.position("docker", "build") is None, "starts and builds nothing")
    check(stage.position("kubectl", "rollout", "restart", "statefulset/mosquitto") is None, "does not disturb the broker")


def another_home(stage):
    before = stage.hashes()
    result = stage.run("--no-build", "--home", "home1", "--home", "cottage")
    after = stage.hashes()
    changed = {path for path in after if before.get(path) != after[path]}
    check(result.returncode == 0 and changed == {"passwords", "homes/cottage.password", "homes/cottage.toml"},
          "another home changes only the broker's list and has files of its own")
    check(stage.position("kubectl", "rollout", "restart", "statefulset/mosquitto") is not None, "which the broker reads")
    check(stage.run("--home", "a/b").returncode != 0, "a home with a slash is refused")


def ways_out(stage):
    for fail, hint in [("minikube --profile hearth ip", "minikube --profile hearth ip"), ("docker build", "docker info"),
                       ("image load", "df -h"), ("apply --kustomize", "refused"), ("statefulset/kafka", "describe pods"),
                       ("job/setup", "logs job/setup")]:
        result = stage.run(fail=fail)
        check(result.returncode != 0 and hint in result.stderr, f"when '{fail}' fails, it says what to do")
    (stage.state / "running").unlink()
    result = stage.run(fail="minikube --profile hearth start")
    check(result.returncode != 0 and "logs --problems" in result.stderr, "when Minikube does not start, it says what to do")
    for tool in ("minikube", "kubectl", "docker"):
        if shutil.which(tool, path="/usr/bin:/bin") and tool != "docker":
            continue
        result = stage.run(without=tool)
        check(result.returncode != 0 and f"{tool} is needed" in result.stderr, f"without {tool} it says where to get it")


if __name__ == "__main__":
    sys.exit(main())
