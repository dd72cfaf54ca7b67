"""The images, and two homes in containers against a cloud on this machine. Called by scripts/test-containers.

What arrives is judged by two oracles outside of Hearth: a subscriber at each home's broker, and InfluxDB's answers."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House import checks
from House.brokers import Mosquitto, security_plugin
from House.checks import check, end
from House.cloud import settings
from House.databases import Database
from House.processes import Process, free_port, popen, wait_for
from House.readings import nanoseconds

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOMES = ("hearthone", "hearthtwo")
SENSORS = ("office", "kitchen", "bedroom", "bathroom", "living-room")
# Simulated nanoseconds from one reading of a sensor to its next: a real second.
BEAT = 60_000_000_000
MEGABYTE = 1_000_000


class Engine:
    def __init__(self, docker):
        self.docker = docker

    def run(self, *arguments, **options):
        return subprocess.run([self.docker, *arguments], capture_output=True, text=True, **options)

    def gateway_address(self):
        """This machine, as containers see it."""
        return self.run("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").stdout.strip()


def check_images(engine):
    for image, program in (("hearth-cloud", "hearth-cloud"), ("hearth-gateway", "hearthd"), ("hearth-sim", "hearth-sim")):
        tag = f"{image}:0.1.0"
        about = json.loads(engine.run("image", "inspect", tag).stdout)[0]
        size = about["Size"] / MEGABYTE
        check(f"{image} has {size:.0f} MB, at most 150", size <= 150)
        check(f"{image} does not run as root", about["Config"]["User"] == "10001:10001")
        confined = ("run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none")
        flag = "--version" if program == "hearthd" else "--help"
        result = engine.run(*confined, tag, flag)
        check(f"{program} starts in it on a read-only root, without capabilities{result.stderr[-300:]}", result.returncode == 0)
        result = engine.run(*confined, "--entrypoint", "/bin/sh", tag, "-c", "true")
        check(f"{image} has no shell", result.returncode != 0)
    for zone, code in (("Europe/Berlin", 0), ("Nowhere/Land", 78)):
        result = engine.run(*confined, "--env", "HEARTH_HOME=home1", "--env", f"HEARTH_SENSOR_TIME_ZONE={zone}", "hearth-gateway:0.1.0",
                            "--config", "/etc/hearth/hearthd.toml", "--check-config")
        check(f"the gateway ends with {code} for the zone {zone}: {result.returncode}", result.returncode == code)


def compose(file, project, environment, *arguments, check_result=True):
    result = subprocess.run(["docker-compose", "-f", str(ROOT / "compose" / file), "-p", project, *arguments], env=environment,
                            capture_output=True, text=True)
    if check_result and result.returncode != 0:
        raise RuntimeError(f"docker-compose {arguments}: {result.stderr[-2000:]}")
    return result.stdout


def check_cloud(engine, secrets):
    """What of compose/cloud.yaml runs without InfluxDB 2: its file is sound, and its broker asks for passwords."""
    environment = dict(os.environ, CLOUD_SECRETS=secrets)
    compose("cloud.yaml", "hearthcloud", environment, "config", "--quiet")
    try:
        container = compose("cloud.yaml", "hearthcloud", environment, "run", "-d", "mosquitto").strip().splitlines()[-1]
        password = pathlib.Path(secrets, "mqtt.password").read_text()

        def publish(password):
            return engine.run("exec", container, "mosquitto_pub", "-V", "5", "-q", "1", "-u", "hearth-cloud", "-P", password, "-t", "h/x",
                              "-m", "1")
        wait_for(lambda: publish(password).returncode == 0, 15, "the broker of compose/cloud.yaml lets hearth-cloud in")
        result = publish("wrong")
        check("the broker of compose/cloud.yaml lets in its users, and nobody else", "Not authorized" in result.stderr)
    finally:
        compose("cloud.yaml", "hearthcloud", environment, "down", "-v", "-t", "3", "--remove-orphans", check_result=False)


class Cloud:
    """Broker with the cluster's configuration, InfluxDB 1.x and `hearth-cloud serve`, on this machine."""

    def __init__(self, directory, programs, address):
        self.directory, self.address = directory, address
        self.secrets = f"{directory}/secrets"
        arguments = [argument for home in HOMES for argument in ("--home", home)]
        subprocess.run([ROOT / "scripts/cloud-secrets", self.secrets, *arguments], check=True)
        self.tls, self.plain, self.http = free_port(), free_port(), free_port()
        self.database = Database(directory)
        self.broker = Mosquitto(directory, "mosquitto", self.broker_settings(), [self.plain])
        self.serve = Process([f"{programs}/hearth-cloud", "serve"], f"{directory}/serve.log", settings(
            directory, self.plain, self.database.port, HTTP_PORT=str(self.http), WINDOW="60s", LOG_LEVEL="warning",
            MQTT_USERNAME="hearth-cloud", MQTT_PASSWORD_FILE=f"{self.secrets}/mqtt.password"))

    def broker_settings(self):
        """The cluster's, with this machine's paths and ports."""
        base = ROOT / "cloud/base/mosquitto"
        os.makedirs(f"{self.directory}/data", exist_ok=True)
        text = (base / "mosquitto.conf").read_text()
        for old, new in (
                ("/mosquitto/secrets/users/rights.json", f"{self.secrets}/rights.json"),
                ("/usr/lib/mosquitto_dynamic_security.so", security_plugin()),
                ("/mosquitto/secrets/tls/ca.crt", f"{self.secrets}/ca.crt"),
                ("/mosquitto/secrets/tls/tls.crt", f"{self.secrets}/server.crt"),
                ("/mosquitto/secrets/tls/tls.key", f"{self.secrets}/server.key"),
                ("/mosquitto/data/", f"{self.directory}/data/"), ("listener 8883", f"listener {self.tls} {self.address}"),
                ("listener 1883", f"listener {self.plain} 127.0.0.1")):
            text = text.replace(old, new)
        return text

    def outage(self, seconds):
        self.broker.kill()
        time.sleep(seconds)
        self.broker.start()

    def query(self, database, statement):
        return self.database.query(statement, database).get("series", [])

    def readings(self, database, measurement, home):
        """(room, nanoseconds, value) of every point."""
        series = self.query(database, f"SELECT value FROM {measurement} WHERE home = '{home}' GROUP BY room")
        return [(s["tags"]["room"], row[0], row[1]) for s in series for row in s["values"]]

    def stop(self):
        self.serve.terminate()
        self.broker.stop()
        self.database.stop()


class Home:
    """Its gateway, broker and sensors are compose/home.yaml's, which docker runs: nothing of House's is in it."""

    def __init__(self, engine, name, cloud):
        self.engine, self.name = engine, name
        # Compose 1 does not pass -p on as a variable; Compose 2 does. The cloud's host is the default, this machine.
        self.environment = dict(os.environ, COMPOSE_PROJECT_NAME=name, CLOUD_PORT=str(cloud.tls), CLOUD_SECRETS=cloud.secrets)
        self.compose("up", "-d")
        self.heard = []
        container = self.container("mosquitto")
        self.subscriber = popen(
            [engine.docker, "exec", container, "mosquitto_sub", "-q", "1", "-t", "+/temperature", "-t", "+/heatpump", "-F", "%t %r %p"],
            stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: self.heard.extend(self.subscriber.stdout), daemon=True).start()

    def compose(self, *arguments, check_result=True):
        return compose("home.yaml", self.name, self.environment, *arguments, check_result=check_result)

    def container(self, service):
        return self.compose("ps", "-q", service).strip()

    def status(self):
        result = self.engine.run("exec", self.container("gateway"), "/usr/bin/hearth", "status", "--json")
        return json.loads(result.stdout) if result.returncode == 0 else None

    def drained(self):
        status = self.status()
        return bool(status) and status["uplink"]["backlog"] == 0

    def readings(self):
        """(room, nanoseconds, value) of what the broker carried."""
        result = []
        for line in self.heard:
            topic, _, payload = line.split(" ", 2)
            if topic.endswith("/temperature"):
                reading = json.loads(payload)
                result.append((topic.split("/")[0], nanoseconds(reading["timestamp"]), float(reading["value"])))
        return result

    def commands(self):
        return {json.loads(line.split(" ", 2)[2])["status"] for line in self.heard if line.split(" ")[0].endswith("/heatpump")}


def beat(times):
    """Between one reading and the next, mostly."""
    times = sorted(times)
    return statistics.median(b - a for a, b in zip(times, times[1:])) if len(times) > 1 else 0


def check_homes(engine, programs):
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as directory:
        cloud = Cloud(directory, programs, engine.gateway_address())
        homes = []
        try:
            check_cloud(engine, cloud.secrets)
            homes = [Home(engine, name, cloud) for name in HOMES]
            run_homes(cloud, homes)
        finally:
            for home in homes:
                if checks.failed:
                    print(home.compose("logs", "--tail", "15", "gateway", check_result=False)[-3000:])
                home.compose("down", "-v", "-t", "5", check_result=False)
            cloud.stop()


def run_homes(cloud, homes):
    wait_for(lambda: all(len(h.readings()) > 20 for h in homes), 60, "both homes' sensors speak")
    cloud.outage(8)
    wait_for(lambda: all(h.commands() == {"0", "1"} for h in homes), 90, "pumps were started and stopped")
    for home in homes:
        home.compose("stop", "-t", "3", *SENSORS)
    wait_for(lambda: all(h.drained() for h in homes), 60, "backlogs are empty")
    for home in homes:
        carried = set(home.readings())
        # The gateway records from the moment it has subscribed, a moment before or after the oracle.
        first = {room: min(t for r, t, _ in carried if r == room) for room, _, _ in carried}
        wait_for(lambda: carried <= set(cloud.readings("raw", "raw_temperature", home.name)), 30, "everything in the database")
        stored = [r for r in cloud.readings("raw", "raw_temperature", home.name) if r[1] >= first.get(r[0], 0)]
        check(f"{home.name}: {len(carried)} readings at home, the same {len(stored)} in InfluxDB, an outage in between",
              set(stored) == carried and len(stored) == len(carried))
        clean = {r for r in cloud.readings("clean", "temperature_clean", home.name) if r[1] >= first.get(r[0], 0)}
        check(f"{home.name}: {len(clean)} clean ones, those that are not exactly 100", clean == {r for r in carried if r[2] != 100})
        beats = {room: beat(t for r, t, _ in carried if r == room) for room in SENSORS}
        check(f"{home.name}: all five sensors speak once a second: {[round(b / BEAT, 2) for b in beats.values()]}",
              all(0.8 * BEAT < b < 1.2 * BEAT for b in beats.values()))
        means = cloud.query("aggregate", f"SELECT count(avg_temp) FROM home_avg_temperature WHERE home = '{home.name}'")
        check(f"{home.name}: means in InfluxDB", bool(means))
    one, two = (set(home.readings()) for home in homes)
    check("two projects side by side share no reading", not one & two)
    tags = {v[1] for s in cloud.query("raw", 'SHOW TAG VALUES WITH KEY = "home"') for v in s["values"]}
    check(f"the database knows exactly these homes: {sorted(tags)}", tags == set(HOMES))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--docker", required=True)
    parser.add_argument("--programs", required=True)
    options = parser.parse_args()
    engine = Engine(options.docker)
    check_images(engine)
    check_homes(engine, options.programs)
    return end("containers")


if __name__ == "__main__":
    main()
