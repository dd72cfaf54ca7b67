"""Deaths of processes: at random, at named places, frozen, and in a loop."""

import os
import signal
import time

from House.checks import Failure
from House.processes import wait_for
from scenarios import chain, confirmed, finish, flowing, scenario

GATEWAY_POINTS = [
    "before-log-write", "after-log-write", "torn-log-write", "before-log-sync", "after-log-sync", "before-page-write",
    "after-page-write", "before-page-sync", "after-page-sync", "before-ack", "after-ack", "before-publish", "after-publish"]
CLOUD_POINTS = ["before-log-write", "torn-log-write", "before-log-sync", "after-log-sync", "before-ack", "after-ack",
                "before-publish", "after-publish", "before-post", "after-post"]


@scenario("gateway-killed-at-failpoints", "hearthd dies before, in and after each write, fsync, PUBACK, PUBLISH")
def gateway_failpoints(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        reached = 0
        for name in GATEWAY_POINTS:
            # A checkpoint comes every few thousand pages only, so those places are reached at a stop, too.
            counts = run.pick([1, 7], [1, 2, 3, 5, 8, 13, 21, 34, 55])
            for count in counts if "page" not in name else [1, 2]:
                home.kill()
                home.start({"LD_PRELOAD": run.failpoints, "HEARTH_FAILPOINT": f"{name}:{count}"})
                reached += died(home.process, 1.0 if "page" not in name else 0.3, lambda: recording_ended(home))
        return finish(rig, deaths=reached)


@scenario("cloud-killed-at-failpoints", "serve dies before, in and after each write, fsync, PUBACK, confirmation and POST")
def cloud_failpoints(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        reached = 0
        for name in CLOUD_POINTS:
            for count in run.pick([2], [1, 2, 3, 5, 8, 13, 21]):
                rig.kill("serve")
                rig.start("serve", {"LD_PRELOAD": run.failpoints, "HEARTH_FAILPOINT": f"{name}:{count}"})
                reached += died(rig.services["serve"], 2.0)
        rig.kill("serve")
        rig.start("serve")
        return finish(rig, deaths=reached)


def recording_ended(home):
    """Whether the gateway's own recording side, which writes, acknowledges and forwards, was killed."""
    status = home.status()
    return bool(status) and "signal 9" in (status["recording"]["lastEnd"] or "")


def died(process, seconds, part=lambda: False):
    """Whether it, or a part of it that it starts again, reached the place at which it dies within that time; ends it."""
    deadline = time.monotonic() + seconds
    while process.running() and time.monotonic() < deadline:
        if part():
            process.kill()
            return True
        time.sleep(0.005)
    if process.running():
        process.signal(signal.SIGTERM)  # the last checkpoint, and with it the places that only a stop reaches
        try:
            process.child.wait(8)
        except Exception:
            pass
    hit = process.child.poll() == -signal.SIGKILL
    if process.running():
        process.kill()
    return hit


@scenario("gateway-crash-loop", "hearthd is killed every 50 to 500 ms with a backlog, and must still drain")
def crash_loop(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.offline()
        home.feed(rate=1000, seed=run.seed)
        flowing(home, 2000)
        home.stop_feeding()
        home.link.mode = "pass"
        kills = 0
        deadline = time.monotonic() + run.pick(10, 120)
        while time.monotonic() < deadline and (home.backlog() or 1) > 0:
            home.restart()
            kills += 1
            time.sleep(run.random.uniform(0.05, 0.5))
        return finish(rig, kills=kills)


@scenario("gateway-killed-far-from-the-cloud", "hearthd and its long link die together, with records and confirmations under way")
def far_away(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.link.delay = 0.2
        home.feed(rate=400, seed=run.seed)
        kills = run.pick(8, 100)
        for _ in range(kills):
            for _ in range(3):  # the cursor is written when 256 rows have been confirmed
                flowing(home, 100)
                confirmed(home)
            time.sleep(run.random.uniform(0, 0.03))
            home.link.cut()
            home.restart()
        return finish(rig, kills=kills)


@scenario("frozen-processes", "hearthd, serve and the brokers are stopped (SIGSTOP) and go on")
def frozen(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        for _ in range(run.pick(1, 5)):
            for process in (home.process, rig.services["serve"], rig.broker.process, home.broker.process):
                process.signal(signal.SIGSTOP)
                time.sleep(run.pick(0.7, run.random.uniform(0.5, 8)))
                process.signal(signal.SIGCONT)
                time.sleep(0.2)
        return finish(rig)


@scenario("sigterm-in-failing-commit", "SIGTERM while the disk refuses: no PUBACK for what is not kept")
def sigterm(run):
    fault = run.directory + "/fault"
    with chain(run) as rig:
        home = rig.homes[0]
        stops = 0
        home.feed(rate=300, seed=run.seed)
        for kind in run.pick(["eio", "enospc"], ["eio", "enospc"] * 5):
            write(fault, "")
            home.restart({"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault})
            flowing(home)
            write(fault, kind)
            wait_for(lambda: any(a["name"] == "not-recording" for a in (home.status() or {}).get("alarms", [])), 20,
                     "the gateway says that it does not record")
            home.process.terminate()
            stops += 1
        return finish(rig, stops=stops)


@scenario("out-of-memory", "allocations of SQLite and of libmosquitto fail, one in many, then one in few")
def out_of_memory(run):
    fault = run.directory + "/memory"
    write(fault, "")
    with chain(run) as rig:
        home = rig.homes[0]
        home.restart({"LD_PRELOAD": run.memoryfaults, "HEARTH_MEMORY_FILE": fault})
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        rounds = 0
        for _ in range(run.pick(1, 10)):
            for library in ("libsqlite3", "libmosquitto"):
                for every in (1000, 100, 10, 2):
                    write(fault, f"{library} {every}")
                    time.sleep(run.pick(0.5, run.random.uniform(0.5, 5)))
                    if run.random.random() < 0.3:
                        home.link.cut()
                    rounds += 1
                write(fault, "")
                flowing(home, 20, 60)
                if not home.process.running():
                    raise Failure("hearthd ended")
        aside = [name for name in os.listdir(home.directory) if ".damaged-" in name]
        if aside:
            raise Failure(f"taken for damage: {aside}")
        return finish(rig, rounds=rounds)


@scenario("home-broker-killed", "the home broker dies with readings in flight", quick=True)
def home_broker(run):
    with chain(run, home_options={"durable_broker": True}) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        kills = run.pick(3, 25)
        for _ in range(kills):
            home.broker.kill()
            time.sleep(run.random.uniform(0, 0.5))
            home.broker.start()
            home.restart() if run.random.random() < 0.3 else None
            flowing(home, 20, 60)
        return finish(rig, kills=kills)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
