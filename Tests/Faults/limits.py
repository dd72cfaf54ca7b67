"""Limits of the cloud broker, and names that are only nearly the same."""

import json
import subprocess
import time

from House.checks import Failure
from House.processes import wait_for
from scenarios import chain, finish, flowing, scenario


@scenario("small-packets", "the cloud broker takes packets of 512 bytes at most: a backlog leaves in small frames")
def small_packets(run):
    with chain(run, broker_more="max_packet_size 512") as rig:
        home = rig.homes[0]
        home.offline()
        home.feed(rate=400, count=2000, seed=run.seed)
        home.feeder.child.wait(60)
        wait_for(lambda: home.acknowledged() >= 2000, 30, "all of it is recorded")
        home.link.mode = "pass"
        home.restart()
        wait_for(lambda: home.backlog() == 0, 60, "the backlog has left")
        return finish(rig, packets=home.link.count("published"))


@scenario("small-windows", "the cloud broker has one message of each client in flight, and ten homes wait for their confirmations")
def small_windows(run):
    with chain(run, homes=run.pick(5, 10), broker_more="max_inflight_messages 1") as rig:
        for number, home in enumerate(rig.homes):
            home.feed(rate=10, seed=run.seed + 1000 * number)
        for home in rig.homes:
            flowing(home, 60)
        for home in rig.homes:
            home.stop_feeding()
        # By the ingestor's word: nothing of it was dropped, so nothing is sent again after a minute.
        for home in rig.homes:
            wait_for(lambda h=home: h.backlog() == 0, 20, f"{home.name} is confirmed")
        return finish(rig, hurry=False)


SPELLINGS = ["caf\u00e9", "cafe\u0301", "Cafe\u0301"]


@scenario("two-spellings", "rooms whose names look the same and have different bytes, at home and in two homes")
def spellings(run):
    with chain(run) as rig:
        for name in ("h\u00f4tel", "ho\u0302tel"):
            home = rig.home(name)
            home.start()
            home.recording()
        began = int(time.time()) - 4000
        for number in range(run.pick(10, 200)):
            for home in rig.homes[1:]:
                for place, room in enumerate(SPELLINGS):
                    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(began + number))
                    body = json.dumps({"timestamp": at, "value": number + place / 4 + (0.125 if home is rig.homes[1] else 0)})
                    subprocess.run(["mosquitto_pub", "-p", str(home.broker.port), "-q", "1", "-t", f"{room}/temperature", "-m", body],
                                   check=True, timeout=30)
        for home in rig.homes[1:]:
            rooms = {room["room"] for room in home.status()["rooms"]}
            if not set(SPELLINGS) <= rooms:
                raise Failure(f"{home.name}: rooms {rooms} of {SPELLINGS}")
        rig.homes[0].feed(rate=20, count=20, seed=run.seed).child.wait(30)
        return finish(rig)
