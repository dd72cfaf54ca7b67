"""What stands where a broker should be, or nothing does: names that do not resolve, captive portals, sessions that are gone,
others who come under our name."""

import os
import socket
import subprocess
import threading
import time

from House.checks import CannotRun
from House.processes import wait_for
from processes import write
from scenarios import chain, confirmed, finish, flowing, scenario

REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CONNACK = b"\x20\x03\x00\x00\x00"


class Portal(threading.Thread):
    """Answers whatever comes as a hotel's network does, or worse. `manner`: "redirect"; "silent" (takes everything and says
    nothing); "noise"; "connack" (accepts every client, then nothing); "close"."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.manner, self.visits = "redirect", 0
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            self.visits += 1
            threading.Thread(target=self.answer, args=(client, self.manner), daemon=True).start()

    @staticmethod
    def answer(client, manner):
        said = {"redirect": REDIRECT, "noise": bytes(range(255, 0, -1)) * 40, "connack": CONNACK}.get(manner)
        try:
            client.settimeout(30)
            client.recv(4096)
            if said:
                client.sendall(said)
            if manner in ("silent", "connack"):
                while client.recv(4096):
                    pass
            client.close()
        except OSError:
            pass


@scenario("captive-portal", "something that is no MQTT broker answers at the cloud's address")
def portal(run):
    portal = Portal()
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        for manner in ["redirect", "silent", "noise", "connack", "close"] * run.pick(1, 10):
            portal.manner, before = manner, portal.visits
            home.link.upstream = portal.port
            home.link.cut()
            home.restart()  # otherwise most of the time goes by between attempts
            wait_for(lambda b=before: portal.visits > b, 30, "the gateway meets the portal")
            flowing(home, 30)
            home.link.upstream = rig.broker.port
            home.link.cut()
        return finish(rig, visits=portal.visits)


@scenario("cloud-name-does-not-resolve", "the resolver fails, is slow, says a wrong address")
def resolver(run):
    answers = run.directory + "/resolver"
    write(answers, "")
    with chain(run, home_options={"cloud_host": "localhost"}) as rig:
        home = rig.homes[0]
        home.environment = {"LD_PRELOAD": run.failpoints, "HEARTH_RESOLVER_FILE": answers}
        home.restart()
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        for answer in ["fail", "slow 2500", "wrong", "unknown"] * run.pick(1, 10):
            write(answers, answer)
            home.link.cut()
            if run.random.random() < 0.5:
                home.restart()
            # The resolver blocks one thread: recording and heating go on.
            flowing(home, 60, 10)
            write(answers, "")
        return finish(rig)


@scenario("ipv6-only", "the cloud has an IPv6 address and no other, and its link flaps")
def ipv6(run):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        raise CannotRun("this machine has no IPv6")
    with chain(run, home_options={"cloud_host": "::1"}) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        cuts = run.pick(3, 50)
        for _ in range(cuts):
            confirmed(home)
            home.link.cut()
            if run.random.random() < 0.5:
                home.restart()
            flowing(home, 20)
        return finish(rig, cuts=cuts)


@scenario("home-sessions-lost", "the home broker has forgotten its sessions; others take our client identifiers")
def sessions(run):
    with chain(run, home_options={"durable_broker": True}) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        rounds = run.pick(3, 40)
        for _ in range(rounds):
            home.broker.kill()
            home.broker.forget()
            home.broker.start()
            flowing(home, 30)
            for role in ("record", "control"):
                impostor = subprocess.Popen(
                    ["mosquitto_sub", "-p", str(home.broker.port), "-i", f"hearthd-{home.name}-{role}", "-t", "nothing", "-W", "2"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(run.random.uniform(0.1, 0.5))
                impostor.kill()
                impostor.wait()
                flowing(home, 20)
        return finish(rig, rounds=rounds)
