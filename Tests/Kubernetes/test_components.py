#!/usr/bin/env python3
"""The scripts of components and the broker's probes, run here: the broker's reload beside a real Mosquitto whose certificate and users change, the backup
and its restoration with a double of influx. Called by scripts/test-kubernetes."""

import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.brokers import MOSQUITTO
from House.checks import check, end
from House.processes import Process, comes, free_port
from manifests import find, render

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPONENTS = ROOT / "cloud/components"


def shown_certificate(port):
    try:
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=5)
    except OSError:
        return None


def knows(port, user, password):
    return subprocess.run(["mosquitto_pub", "-p", str(port), "-u", user, "-P", password, "-t", f"{user}/x", "-m", "1", "-q", "1"],
                          capture_output=True, timeout=20).returncode == 0


def check_reload(directory):
    """Where pkill sees one Mosquitto only, as in the pod: in a process namespace of its own."""
    secrets = [directory / "secrets/users", directory / "secrets/tls"]
    for place in secrets:
        place.mkdir(parents=True)
    # As somebody calls it who is elsewhere.
    make = [str(ROOT / "scripts/cloud-secrets"), "made"]
    subprocess.run([*make, "--home", "home1"], check=True, capture_output=True, cwd=directory)

    def take():
        for name in ("ca.crt", "server.crt", "server.key"):
            shutil.copy(directory / "made" / name, secrets[1] / name)
        shutil.copy(directory / "made/passwords", secrets[0] / "passwords")
        for file in [*secrets[0].iterdir(), *secrets[1].iterdir()]:
            file.chmod(0o644)

    take()
    plain, tls = free_port(), free_port()
    (directory / "mosquitto.conf").write_text(
        f"per_listener_settings false\nallow_anonymous false\npassword_file {secrets[0]}/passwords\nuser root\n"
        f"listener {tls} 127.0.0.1\ncafile {secrets[1]}/ca.crt\ncertfile {secrets[1]}/server.crt\nkeyfile {secrets[1]}/server.key\n"
        f"listener {plain} 127.0.0.1\n")
    script = f"mosquitto -c {directory}/mosquitto.conf & sh {COMPONENTS}/cert-manager/reload {secrets[0]} {secrets[1]} 1"
    pod = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        check("the broker starts", comes(lambda: shown_certificate(tls)))
        before = shown_certificate(tls)
        password = (directory / "made/homes/home1.password").read_text()
        check("a home is known", knows(plain, "home1", password))
        subprocess.run([*make, "--home", "home2", "--address", "hearth.example.org"], check=True, capture_output=True, cwd=directory)
        new = (directory / "made/homes/home2.password").read_text()
        check("a new home is not known before its Secret has arrived", not knows(plain, "home2", new))
        take()
        check("a new certificate is shown without a restart", comes(lambda: shown_certificate(tls) not in (None, before), 30))
        check("and a new home is known", comes(lambda: knows(plain, "home2", new), 30))
        check("and the old one still is", knows(plain, "home1", password))
    finally:
        pod.kill()
        pod.wait()


def check_probes(directory):
    """The broker's probes, with its ports mapped to free ones."""
    spec = find(render("cloud/base"), "StatefulSet", "mosquitto-svc")["spec"]["template"]["spec"]["containers"][0]
    ports = {1883: free_port(), 8883: free_port()}

    def answers(probe):
        command = spec[probe]["exec"]["command"]
        text = command[-1]
        for number, free in ports.items():
            text = text.replace(f":{number:04X} ", f":{free:04X} ")
        return subprocess.run([*command[:-1], text]).returncode == 0

    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        check(f"{probe}: nothing listens", not answers(probe))
    log = directory / "log"
    # Nobody but the probes may come to it, so it is not one of House's brokers, which are looked for.
    (directory / "mosquitto.conf").write_text("".join(f"listener {port} 127.0.0.1\n" for port in ports.values()))
    broker = Process([MOSQUITTO, "-c", directory / "mosquitto.conf"], log)
    try:
        check("readinessProbe: it listens", comes(lambda: answers("readinessProbe")))
        before = log.read_text()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            check(f"{probe}: it listens", answers(probe))
        check("probes leave no line in the log", log.read_text() == before)
    finally:
        broker.end()


def check_kafka_stops(directory):
    """The log's start as process 1, told to end while it formats its volume: without a trap it would go on to the end of its grace."""
    [script] = find(render("cloud/base"), "StatefulSet", "kafka-svc")["spec"]["template"]["spec"]["containers"][0]["args"]
    for name, body in (("kafka-storage.sh", f"touch {directory}/formats; sleep 1"), ("kafka-server-start.sh", f"touch {directory}/runs; sleep 30")):
        (directory / name).write_text(f"#!/bin/sh\n{body}\n")
        (directory / name).chmod(0o755)
    pod = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "/bin/bash", "-ec", script.replace("/opt/kafka/bin", str(directory))],
                           env={**os.environ, "CLUSTER_ID": "x"})
    try:
        check("the log formats its volume", comes((directory / "formats").exists))
        first = int(pathlib.Path(f"/proc/{pod.pid}/task/{pod.pid}/children").read_text().split()[0])
        os.kill(first, signal.SIGTERM)
        ended = comes(lambda: pod.poll() is not None, 10)
        check("the log heeds SIGTERM meanwhile", ended and not (directory / "runs").exists(), str(pod.poll()))
    finally:
        pod.kill()
        pod.wait()


INFLUX = """#!/bin/sh
[ "$INFLUX_TOKEN" = secret-token ] || { echo "unauthorized" >&2; exit 1; }
[ "$1" = backup ] || exit 2
mkdir -p "$2" && echo data >"$2/manifest.json"
[ ! -e "$HOME/fail" ] || { echo "no space left on device" >&2; exit 1; }
"""


def check_backup(directory):
    (directory / "bin").mkdir()
    (directory / "bin/influx").write_text(INFLUX)
    (directory / "bin/influx").chmod(0o755)
    (directory / "token").write_text("secret-token\n")
    backups = directory / "backups"
    backups.mkdir()

    def backup():
        return subprocess.run(
            ["sh", COMPONENTS / "backup/backup", backups, "2"], capture_output=True, text=True,
            env={"PATH": f"{directory}/bin:/usr/bin:/bin", "HOME": str(directory), "INFLUX_TOKEN_FILE": f"{directory}/token"})

    names = []
    for _ in range(3):
        result = backup()
        check("a backup is made", result.returncode == 0 and "is whole" in result.stdout, result.stderr)
        names.append(max(path.name for path in backups.iterdir()))
        time.sleep(1.1)
    check("the newest two are kept", sorted(path.name for path in backups.iterdir()) == names[1:], str(list(backups.iterdir())))
    (directory / "fail").touch()
    result = backup()
    check("a backup that fails says so", result.returncode != 0 and "no space left" in result.stderr)
    whole = [path.name for path in backups.iterdir() if not path.name.endswith(".unfinished")]
    check("and costs none of those that are whole", sorted(whole) == names[1:])
    (directory / "fail").unlink()
    backup()
    check("what it left goes with the next", not list(backups.glob("*.unfinished")))


def check_restore(directory):
    """The newest whole copy, or one that is named; never half of one."""
    (directory / "influx").write_text("""#!/bin/sh
[ "$INFLUX_TOKEN" = secret-token ] || { echo "unauthorized" >&2; exit 1; }
[ "$1 $2" = "restore --full" ] && [ "$#" = 3 ] && [ -e "$3/manifest.json" ] && echo "restored ${3##*/}"
""")
    (directory / "influx").chmod(0o755)
    (directory / "token").write_text("secret-token\n")
    backups = directory / "backups"
    backups.mkdir()

    def restore(*name):
        return subprocess.run(
            ["sh", COMPONENTS / "backup/restore", backups, *name], capture_output=True, text=True,
            env={"PATH": f"{directory}:/usr/bin:/bin", "INFLUX_TOKEN_FILE": f"{directory}/token"})

    result = restore("")
    check("a restoration without a copy says so", result.returncode != 0 and "no whole copy" in result.stderr, result.stderr)
    for name in ("2026-11-28T021700Z", "2026-11-29T021700Z", "2026-11-30T021700Z.unfinished"):
        (backups / name).mkdir()
        (backups / name / "manifest.json").touch()
    for words, wanted in (([""], "2026-11-29T021700Z"), ([], "2026-11-29T021700Z"), (["2026-11-28T021700Z"], "2026-11-28T021700Z")):
        result = restore(*words)
        check(f"restored with {words}: {wanted}", result.returncode == 0 and f"restored {wanted}\n" in result.stdout, result.stderr)
    check("a copy that is not there is said", "no copy called" in restore("2026-01-01T000000Z").stderr)


def main():
    for part in (check_reload, check_probes, check_kafka_stops, check_backup, check_restore):
        with tempfile.TemporaryDirectory() as directory:
            part(pathlib.Path(directory))
    end("components")


if __name__ == "__main__":
    main()
