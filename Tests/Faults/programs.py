"""What is proved by programs of their own, and what no single fault covers: bad input, clocks, other homes."""

import os
import subprocess
import time

from House.checks import CannotRun, Failure
from House.processes import wait_for
from processes import write
from scenarios import chain, finish, flowing, scenario


def external(run, name, arguments, limit):
    """Runs a program of the suite; its last line says what it counted."""
    path = os.path.join(run.programs, name)
    if not os.path.exists(path):
        raise CannotRun(f"{name} is not built: swift build -c release --product {name}")
    result = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=limit)
    lines = result.stdout.strip().splitlines()
    if result.returncode != 0:
        raise Failure("\n".join(lines[-20:]) + result.stderr[-2000:])
    return {"": lines[-1] if lines else "no output"}


@scenario("simulation", "simulated homes, networks, disks and clouds: every history from a seed")
def simulation(run):
    # Those that the unit tests only begin, where they are not optimised.
    for part in ("thermostat", "ranges"):
        external(run, "simulate", ["--seed", str(run.seed), "--only", part, "--histories", "20000"], 120)
    return external(run, "simulate", ["--seed", str(run.seed), "--histories", str(run.pick(40_000, 1_000_000))],
                    run.pick(240, 1200))


@scenario("crash-images", "what a power cut can leave of a journal: unsynced writes lost, torn, reordered, each combination")
def crash_images(run):
    return external(run, "crash-images", ["--seed", str(run.seed), "--images", str(run.pick(2_000, 100_000))],
                    run.pick(240, 2400))


@scenario("clock-jumps", "the gateway's clock jumps an hour on and back, to 1970, and to 2038")
def clocks(run):
    clock = run.directory + "/clock"
    write(clock, "0")
    with chain(run) as rig:
        home = rig.homes[0]
        home.restart({"LD_PRELOAD": run.failpoints, "HEARTH_CLOCK_FILE": clock})
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        # A minute and some hours after 1970: before the first step of the curves, and a few steps behind it.
        epoch = -int(time.time())
        jumps = [3600, -3600, epoch + 60, epoch + 7200, 400_000_000, 1, -1, 0] * run.pick(2, 10)
        for offset in jumps:
            write(clock, str(offset))
            time.sleep(0.1)
            flowing(home, 30)
            if offset < -100_000:
                time.sleep(1.5)  # What follows the journal looks once a second, and remembers what was before.
            elif run.random.random() < 0.3:
                home.restart({"LD_PRELOAD": run.failpoints, "HEARTH_CLOCK_FILE": clock})
        return finish(rig, jumps=len(jumps))


POISON = [b"", b"{", b"null", b"[]", b'{"timestamp": "2026-11-23T10:00:00", "value": NaN}', b'{"value": 1}',
          b'{"timestamp": "yesterday", "value": 1}', b'{"timestamp": "2026-11-23T10:00:00", "value": 1e999}', b"\xff\xfe\x00",
          b'{"timestamp": "2026-11-23T10:00:00", "value": {}}', b"x" * 200_000, b"[" * 50_000,
          b'{"timestamp": "2026-11-23T10:00:00", "value": "0x1F"}', b'{"timestamp": 5, "value": "\\ud800"}']


def publish(port, topic, payload):
    subprocess.run(["mosquitto_pub", "-p", str(port), "-q", "1", "-t", topic, "-s" if payload else "-n"],
                   input=payload, check=True, timeout=30)


@scenario("poison", "payloads that are no readings, frames and confirmations that are none, between good ones")
def poison(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        for payload in POISON:
            publish(home.broker.port, "room1/temperature", payload)
            publish(home.broker.port, "room1/heatpump", payload)
            publish(rig.broker.port, f"{home.name}/room1/temperature", payload)
            publish(rig.broker.port, f"{home.name}/frame", payload)
            publish(rig.broker.port, f"{home.name}/gateway/ack", payload)
        flowing(home)
        # They reach the oracle's proxy as well, which shall not take them for readings.
        home.wire.delivered = [m for m in home.wire.snapshot("delivered") if m.payload not in POISON]
        home.wire.acknowledged = [m for m in home.wire.snapshot("acknowledged") if m.payload not in POISON]
        home.stop_feeding()
        status = home.status()
        if sum(status["journal"]["setAside"].values()) < len(POISON):
            raise Failure(f"{2 * len(POISON)} bad messages and only these were set aside: {status['journal']['setAside']}")
        return finish(rig, poison=5 * len(POISON))


@scenario("foreign-frames", "a home publishes under its name what claims to be another's, and replays another's frames")
def foreign(run):
    with chain(run, homes=2) as rig:
        first, second = rig.homes
        second.offline()
        first.offline()
        first.feed(rate=400, seed=run.seed)
        second.feed(rate=100, seed=run.seed + 77)
        flowing(first, 400)
        first.stop_feeding()
        first.link.mode = "pass"
        first.restart()
        wait_for(lambda: first.backlog() == 0, 60, "the first home's backlog has left")
        frames = [m for m in first.link.snapshot("published") if m.topic.endswith("/frame")]
        if not frames:
            raise Failure("the backlog did not leave in frames")
        # Damaged copies under the home's own topic must not become numbers; they may only be set aside.
        for number in range(run.pick(20, 300)):
            body = bytearray(run.random.choice(frames).payload)
            if not body:
                continue
            body[run.random.randrange(len(body))] ^= 1 << run.random.randrange(8)
            publish(rig.broker.port, f"{first.name}/frame", bytes(body))
        second.link.mode = "pass"
        return finish(rig, frames=len(frames))
