#!/usr/bin/env python3
"""`hearth-cloud homes` at a real Mosquitto with its dynamic-security plugin: a home added while the broker runs comes in with the
password that was made, and with the rights that systemd/examples/cloud-broker/rights gives; a revoked one is out at once; the
list says what the gateways' retained statuses say, also with ten thousand of them. Called by scripts/test-kubernetes.
HEARTH_BIN_DIR names the programs."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
import rights
from House.brokers import FleetingBroker, security_plugin
from House.checks import check, end, not_run
from rights import EXAMPLES

PROGRAM = os.path.join(os.environ.get("HEARTH_BIN_DIR", ""), "hearth-cloud")
MANY = 10_000


class Cloud:
    def __init__(self, directory, plugin):
        self.directory = directory
        made = directory / "made"
        subprocess.run([str(pathlib.Path("scripts/cloud-secrets").resolve()), str(made), "--home", "home1"], check=True,
                       capture_output=True)
        self.admin = directory / "admin.password"
        self.admin.write_text("administrator")
        subprocess.run([EXAMPLES / "rights", directory / "rights.json", "--passwords", made / "passwords", "home1"], check=True)
        self.add_admin()
        self.port, self.broker = rights.broker(directory, plugin, "")
        self.password = made / "mqtt.password"

    def add_admin(self):
        """A user with the role admin, which the script makes and nobody has."""
        path = self.directory / "rights.json"
        table = json.loads(path.read_text())
        hashed = self.directory / "hashed"
        subprocess.run(["mosquitto_passwd", "-b", "-c", hashed, "ann", self.admin.read_text()], check=True)
        _, _, iterations, salt, key = hashed.read_text().strip().partition(":")[2].split("$")
        table["clients"].append({"username": "ann", "password": key, "salt": salt, "iterations": int(iterations),
                                 "roles": [{"rolename": "admin"}]})
        path.write_text(json.dumps(table))
        path.chmod(0o600)

    def homes(self, *arguments, user="ann", password=None):
        return subprocess.run(
            [PROGRAM, "homes", *arguments, "--mqtt-host", "127.0.0.1", "--mqtt-port", str(self.port), "--mqtt-username", user,
             "--mqtt-password-file", str(password or self.admin)], capture_output=True, text=True, timeout=60, cwd=self.directory)

    def as_home(self, name):
        password = (self.directory / f"{name}.password").read_text()
        return ["-p", str(self.port), "-u", name, "-P", password, "-i", f"{name}-test"]

    def say(self, home, **status):
        """As its gateway would; by the test's own user, who may."""
        words = ["mosquitto_pub", "-h", "127.0.0.1", "-V", "5", *self.as_home(home), "-q", "1", "-r", "-t", f"{home}/gateway/status"]
        return subprocess.run([*words, "-m", json.dumps(status)], capture_output=True, text=True).returncode == 0


def check_adding(cloud):
    result = cloud.homes("add", "cottage")
    check("a home is added", result.returncode == 0, result.stderr)
    file = cloud.directory / "cottage.password"
    check("its password is its owner's alone", file.exists() and file.stat().st_mode & 0o777 == 0o600)
    check("and is not shown", file.exists() and file.read_text() not in result.stdout + result.stderr)
    check("it comes in, with no restart of the broker", rights.is_taken(cloud.as_home("cottage"), "cottage/office/temperature"))
    check("and not below another home", not rights.is_taken(cloud.as_home("cottage"), "home1/office/temperature"))
    check("nor into the ingestors' group",
          rights.is_granted(cloud.as_home("cottage"), "$share/x/+/+/temperature") is not True)
    again = cloud.homes("add", "cottage")
    check("a second time is refused, and the password stays", again.returncode != 0 and file.exists(), again.stdout)
    for name in ("hearth-cloud", "a/b", "+", "$SYS", "-x", ""):
        result = cloud.homes("add", "--", name)
        check(f"{name!r} is no home's name", result.returncode != 0 and not (cloud.directory / f"{name}.password").exists())
    result = cloud.homes("add", "villa", user="hearth-cloud", password=cloud.password)
    check("a user without the role is told what it lacks", result.returncode != 0 and "admin" in result.stderr, result.stderr)
    check("and leaves no password behind", not (cloud.directory / "villa.password").exists())
    ours, script = roles(cloud, "cottage"), roles(cloud, "home1")
    check("the rights are the script's", ours == script, str((ours or set()) ^ (script or set())))


def roles(cloud, home):
    """Of a home, as the plugin keeps them."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        table = json.loads((cloud.directory / "rights.json").read_text())
        found = [role for role in table["roles"] if role["rolename"] == f"home {home}"]
        if found:
            return {(acl["acltype"], acl["topic"].replace(home, "HOME", 1), acl["allow"]) for acl in found[0]["acls"]}
        time.sleep(0.1)
    return None


def check_list(cloud):
    cloud.say("cottage", status="online", backlog=7, version="0.1.0", time="2026-11-29T10:00:00Z", alarms=[{"name": "disk-low"}])
    result = cloud.homes("list", "--json", user="hearth-cloud", password=cloud.password)
    homes = [json.loads(line) for line in result.stdout.splitlines()]
    check("the list has what the gateway said", homes == [{
        "home": "cottage", "status": "online", "backlog": 7, "version": "0.1.0", "time": "2026-11-29T10:00:00Z",
        "findings": ["disk-low"]}] or (len(homes) == 1 and homes[0]["backlog"] == 7 and homes[0]["findings"] == ["disk-low"]),
        result.stdout + result.stderr)
    result = cloud.homes("list", user="hearth-cloud", password=cloud.password)
    check("and shows it", "cottage" in result.stdout and "disk-low" in result.stdout and "1 homes, 0 offline, 7 readings wait"
          in result.stdout, result.stdout)
    result = cloud.homes("list", "--metrics", user="hearth-cloud", password=cloud.password)
    check("and counts it", 'hearth_homes{state="online"} 1' in result.stdout and "hearth_homes_backlog_readings 7" in result.stdout,
          result.stdout)


def check_revoking(cloud):
    listener = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-V", "5", *cloud.as_home("cottage"), "-q", "1", "-t",
                                 "cottage/gateway/ack", "-d"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in listener.stdout:
        if "Subscribed" in line:
            break
    result = cloud.homes("revoke", "cottage")
    check("a home is revoked", result.returncode == 0, result.stderr)
    deadline = time.monotonic() + 10
    ended = False
    while time.monotonic() < deadline and not ended:
        line = listener.stdout.readline()
        ended = "DISCONNECT" in line or not line
    listener.kill()
    check("its connection ends", ended)
    check("and it does not come in again", not rights.is_taken(cloud.as_home("cottage"), "cottage/office/temperature"))
    result = cloud.homes("revoke", "cottage")
    check("one that is not there cannot be revoked", result.returncode != 0, result.stdout)


def check_many(directory):
    """Without the plugin: ten thousand retained statuses, put there by one client."""
    broker = FleetingBroker(directory, "plain")
    subprocess.run([sys.executable, "-c", FILL, str(broker.port), str(MANY)], check=True)
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        result = subprocess.run([PROGRAM, "homes", "list", "--mqtt-port", str(broker.port)], capture_output=True, text=True, timeout=60)
        seconds.append(time.monotonic() - began)
    lines = result.stdout.splitlines()
    check(f"{MANY} homes are listed", lines and lines[-1].startswith(f"{MANY} homes"), result.stdout[-300:] + result.stderr)
    check(f"in a second: {min(seconds):.2f} s", min(seconds) < 1)
    broker.end()


# Retained messages at QoS 0, on a socket of its own (MQTT 3.1.1, sections 3.1 and 3.3).
FILL = """
import json, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
s = socket.create_connection(("127.0.0.1", port))
def text(t): return len(t).to_bytes(2, "big") + t
def packet(kind, body):
    size, out = len(body), bytearray([kind])
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | (0x80 if size else 0))
        if not size: return bytes(out) + body
s.sendall(packet(0x10, text(b"MQTT") + bytes([4, 2]) + (60).to_bytes(2, "big") + text(b"fill")))
s.recv(4)
for n in range(count):
    status = {"status": "online" if n % 10 else "offline", "backlog": n % 7, "version": "0.1.0", "time": "2026-11-29T10:00:00Z"}
    s.sendall(packet(0x31, text(f"home{n}/gateway/status".encode()) + json.dumps(status).encode()))
s.sendall(packet(0xC0, b""))
s.recv(2)  # The answer to a ping: all before it is there.
"""


def main():
    if not os.access(PROGRAM, os.X_OK):
        return not_run("hearth-cloud homes", "HEARTH_BIN_DIR names no programs")
    plugin = security_plugin()
    if not plugin:
        return not_run("hearth-cloud homes", "Mosquitto's dynamic-security plugin is not here")
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        cloud = Cloud(directory, plugin)
        try:
            check_adding(cloud)
            check_list(cloud)
            check_revoking(cloud)
        finally:
            cloud.broker.end()
        check_many(directory)
    return end("homes")


if __name__ == "__main__":
    main()
