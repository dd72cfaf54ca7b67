"""TLS between home and cloud: certificates that end, that others issued, that name somebody else, and new ones."""

import os
import shutil
import signal
import subprocess
import time

from House.checks import Failure
from House.processes import Process, free_port, wait_for
from scenarios import chain, finish, flowing, scenario

DAY = 86_400


class Authority:
    """Issues certificates by the openssl program, whose clock it sets."""

    def __init__(self, run, name):
        self.run, self.directory = run, os.path.join(run.directory, name)
        os.makedirs(self.directory)
        self.certificate, self.key = self.directory + "/ca.crt", self.directory + "/ca.key"
        self.openssl(-30, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
                     "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def openssl(self, day, *arguments):
        clock = self.directory + "/clock"
        with open(clock, "w") as f:
            f.write(str(day * DAY))
        subprocess.run(["openssl", *arguments], check=True, capture_output=True,
                       env={**os.environ, "LD_PRELOAD": self.run.failpoints, "HEARTH_CLOCK_FILE": clock})

    def issue(self, path, name, day=0):
        """`path`.crt and .key for `name`, valid for ten days from `day` on; replaced as a whole."""
        new = f"{self.directory}/new"
        with open(new + ".ext", "w") as f:
            f.write(f"subjectAltName={name}\n")
        self.openssl(day, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=hearth",
                     "-keyout", new + ".key", "-out", new + ".csr")
        self.openssl(day, "x509", "-req", "-in", new + ".csr", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                     "-days", "10", "-extfile", new + ".ext", "-out", new + ".crt")
        for end in ("crt", "key"):
            os.replace(f"{new}.{end}", f"{path}.{end}")


def points(rig, home):
    return len(rig.influx.points("raw_temperature", ["value"], "raw").get(home.name, {}))


@scenario("certificates", "the cloud's or our certificate has ended, is another authority's, names another host; both are renewed")
def certificates(run):
    ours, other = Authority(run, "ours"), Authority(run, "other")
    server, client, port = run.directory + "/server", run.directory + "/client", free_port()
    good = {server: lambda: ours.issue(server, "IP:127.0.0.1"), client: lambda: ours.issue(client, "DNS:home1")}
    for issue in good.values():
        issue()
    door = (f"listener {port} 127.0.0.1\ncafile {ours.certificate}\ncertfile {server}.crt\nkeyfile {server}.key\n"
            "require_certificate true\n")
    tls = f'[cloud.tls]\nca = "{ours.certificate}"\ncert = "{client}.crt"\nkey = "{client}.key"\n'
    faults = {
        "the server's has ended": (server, lambda: ours.issue(server, "IP:127.0.0.1", day=-20)),
        "the server's is not yet valid": (server, lambda: ours.issue(server, "IP:127.0.0.1", day=5)),
        "the server's is another authority's": (server, lambda: other.issue(server, "IP:127.0.0.1")),
        "the server's names another host": (server, lambda: ours.issue(server, "DNS:cloud.example")),
        "ours has ended": (client, lambda: ours.issue(client, "DNS:home1", day=-20)),
        "ours is another authority's": (client, lambda: other.issue(client, "DNS:home1")),
        "ours is gone": (client, lambda: shutil.move(client + ".crt", client + ".old")),
    }
    with chain(run, home_options={"cloud_port": port, "more": tls, "opaque_link": True}, broker_more=door) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        wait_for(lambda: points(rig, home), 30, "readings arrive over TLS")
        met = 0
        for _ in range(run.pick(1, 10)):
            names = run.random.sample(sorted(faults), len(faults))
            names.sort(key=lambda name: faults[name][0] != server)
            # Briefly: two of the server's and one of ours.
            for name in run.pick(names[2:5], names):
                victim, fault = faults[name]
                fault()
                attempts, met = home.link.connections, met + 1
                ear = renew(rig, home)
                if os.path.exists(client + ".crt"):
                    wait_for(lambda a=attempts: home.link.connections > a, 30, "the gateway tries to connect")
                flowing(home, 50)
                time.sleep(0.5)
                if ear.heard():
                    raise Failure(f"{name}, and there passed: {ear.heard()[:5]}")
                good[victim]()
                before = points(rig, home)
                wait_for(renew(rig, home).heard, 30, f"something passes again after: {name}")
                wait_for(lambda b=before: points(rig, home) > b, 30, f"readings pass again after: {name}")
            # Renewed in time, under a running gateway: with the next connection, and without a restart.
            for issue in good.values():
                issue()
            rig.broker.kill()
            rig.broker.start()
            home.link.cut()
            home.process.signal(signal.SIGHUP)
            before = points(rig, home)
            wait_for(lambda b=before: points(rig, home) > b + 50, 60, "readings pass with new certificates")
        return finish(rig, faults=met)


def renew(rig, home):
    """The broker with the files that are there, an ear at it, and a gateway that does not wait before its next attempt."""
    home.kill()
    rig.broker.kill()
    rig.broker.start()
    ear = Ear(rig, home)
    home.start()
    return ear


class Ear:
    """What a home says at the cloud's broker."""

    def __init__(self, rig, home):
        self.process = Process(["stdbuf", "-oL", "mosquitto_sub", "-p", str(rig.broker.port), "-t", f"{home.name}/#", "-R", "-d",
                                "-F", "heard %t"], os.path.join(rig.directory, f"ear-{time.monotonic_ns()}"))
        wait_for(lambda: "Subscribed" in self.process.output(), 10, "the ear listens")

    def heard(self):
        """The topics, without those of the confirmations and the cloud's account, which are not the home's."""
        topics = [line.split(" ", 1)[1] for line in self.process.output().splitlines() if line.startswith("heard ")]
        return [topic for topic in topics if not topic.endswith(("/gateway/ack", "/gateway/stored"))]
