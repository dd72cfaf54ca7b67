"""The process that records and forwards dies, stops, starves and loops; the one that heats must not notice."""

import json
import os
import resource
import signal
import sys
import threading
import time

from House.checks import CannotRun, Failure, Late
from House.processes import Process, wait_for
from scenarios import chain, finish, flowing, scenario
from sensors import LATE

# Rooms of sensors.py: one whose pump is commanded ten times a second, one whose command is repeated each second.
ROOMS = """[thermostat]
refresh = "60s"
min_on = "0s"
min_off = "0s"
[rooms.steady]
refresh = "1s"
"""
# Swift's crash handler, which finds its program only where the toolchain is, lets a process go on that was merely sent the signal.
ENVIRONMENT = {"SWIFT_BACKTRACE": "enable=no"}
# After so long without a word the heating ends its recording side.
SILENCE = 15
STOPPED, SILENT = "recording-stopped", "recording-silent"


class Victim:
    """One home's recording side, as its gateway's status names it."""

    def __init__(self, home, random, loops):
        self.home, self.random, self.loops, self.counts, self.slowest = home, random, loops, {}, 0.0

    def pid(self):
        status = self.home.status()
        return status and status["recording"]["pid"]

    def recording(self, seconds=40):
        """Until it runs and has said so."""
        def there():
            status = self.home.status()
            found = status and status["recording"]["pid"]
            return found if found and status["journal"] and status["links"][1]["state"] == "connected" else None
        return wait_for(there, seconds, f"{self.home.name}: the recording side runs")

    def told(self, pid, began):
        """Status must say within five seconds what became of this process, not of one before it."""
        def says():
            status = self.home.status()
            if not status:
                return False
            names = [a["name"] for a in status["alarms"]]
            return SILENT in names or STOPPED in names and status["recording"]["pid"] != pid
        wait_for(says, 5 + began - time.monotonic(), f"{self.home.name}: status says that nothing is recorded")
        self.slowest = max(self.slowest, time.monotonic() - began)

    def strike(self, name):
        fault = getattr(self, name)(self.recording())
        if fault:
            self.told(*fault)
            self.recording()
            if STOPPED not in [a["name"] for a in self.home.status()["alarms"]]:
                raise Failure(f"{self.home.name}: nobody who looks a second later hears of the end")
        self.counts[name] = self.counts.get(name, 0) + 1
        time.sleep(self.random.uniform(0, 1))

    def holds_nothing_of_its_parent(self):
        """A connection that both have does not end when the heating ends it."""
        shared = sockets(self.recording()) & sockets(self.home.process.pid)
        if shared:
            raise Failure(f"{self.home.name}: the recording side inherited {shared}")

    def orphaned(self):
        """The gateway is killed while its recording side stands still: the next one needs the journal."""
        pid = self.recording()
        send(pid, signal.SIGSTOP)
        self.home.kill()
        wait_for(lambda: not alive(pid), 5, f"{self.home.name}: the recording side ends with its gateway")
        self.home.start()
        self.recording()

    # --- the faults; each returns which process it met and when, None when there is nothing to tell ---

    def killed(self, pid):
        return send(pid, signal.SIGKILL)

    def crashed(self, pid):
        self.home.made_crashes += 1
        return send(pid, signal.SIGSEGV)

    def blinked(self, pid):
        """A debugger looks and lets go."""
        send(pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.05, 2))
        send(pid, signal.SIGCONT)

    def stopped(self, pid):
        """Somebody stops it and forgets it."""
        self.told(*send(pid, signal.SIGSTOP))
        wait_for(lambda: self.pid() not in (None, pid), SILENCE + 15, f"{self.home.name}: a stopped recording side is replaced")

    def starved(self, pid):
        """Its memory ends: whatever it allocates fails, and what the kernel does then is done if it lives on that."""
        try:
            for limit in (resource.RLIMIT_DATA, resource.RLIMIT_AS):
                resource.prlimit(pid, limit, (1 << 20, 1 << 20))
        except ProcessLookupError:
            pass
        deadline = time.monotonic() + 1
        while alive(pid) and time.monotonic() < deadline:
            self.home.status()
            time.sleep(0.05)
        return send(pid, signal.SIGKILL)

    def looped(self, pid):
        """It dies as soon as it is there, again and again."""
        for _ in range(self.loops):
            send(pid, signal.SIGKILL)
            pid = wait_for(self.pid, 15, f"{self.home.name}: it is started again")
        return send(pid, signal.SIGKILL)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def sockets(pid):
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    return pid, time.monotonic()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Observations:
    """What sensors.py has printed, of a span of time."""

    def __init__(self, sensors, homes):
        self.lines = []
        for home in homes:
            self.lines += [json.loads(line) for line in sensors[home.name].output().splitlines() if line.endswith("}")]

    def between(self, spans):
        return [o for o in self.lines if any(start <= o["at"] <= end for start, end in spans)]


@scenario("recording-side-dies", "the process that records is killed, stopped, starved of memory, and loops, while pumps are commanded",
          alone=True)
def recording_side(run):
    with chain(run, homes=run.pick(1, 4), home_options={"more": ROOMS, "environment": ENVIRONMENT}) as rig:
        victims = [Victim(home, run.random, run.pick(1, 4)) for home in rig.homes]
        if not victims[0].home.status()["recording"]["pid"]:
            raise CannotRun("this gateway has no recording side of its own")
        sensors = {}
        for number, home in enumerate(rig.homes):
            sensors[home.name] = Process(
                [sys.executable, os.path.join(os.path.dirname(__file__), "sensors.py"), "--port", str(home.broker.port), "--rate",
                 str(run.pick(100, 20)), "--seed", str(run.seed + number)], home.directory + "/sensors.log")
        parents = [home.process.pid for home in rig.homes]
        for victim in victims:
            victim.holds_nothing_of_its_parent()
        time.sleep(2)
        calm, struck = [], []
        rounds, faults = plan(run)
        for number in range(rounds):
            calm.append(pause(run.pick(6, 15)))
            began = time.monotonic()
            strike_all(victims, faults[number])
            struck.append((began, time.monotonic()))
            for victim in victims:
                victim.recording()
                flowing(victim.home, 20)
        calm.append(pause(run.pick(4, 15)))
        for process in sensors.values():
            process.terminate()
        if parents != [home.process.pid for home in rig.homes] or not all(home.process.running() for home in rig.homes):
            raise Failure("a gateway ended")
        figures = judge(Observations(sensors, rig.homes), calm, struck)
        for victim in victims:
            victim.orphaned()
        counts = {}
        for victim in victims:
            for name, count in victim.counts.items():
                counts[name] = counts.get(name, 0) + count
        return finish(rig, hurry=False, faults=sum(counts.values()), **counts, **figures,
                      told=f"{max(v.slowest for v in victims):.1f} s")


def plan(run):
    """Rounds with calm between them, and the faults of each, per home."""
    if run.quick:
        return 1, [["stopped", "killed", "crashed", "blinked", "starved", "looped"]]
    kinds = ["killed"] * 17 + ["crashed"] * 8 + ["blinked"] * 12 + ["starved"] * 7 + ["looped"] * 3 + ["stopped"] * 3
    run.random.shuffle(kinds)
    return 5, [kinds[n::5] for n in range(5)]


def pause(seconds):
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def strike_all(victims, faults):
    """All homes side by side, each in an order of its own."""
    errors = []

    def one(victim, names):
        try:
            for name in names:
                victim.strike(name)
        except Exception as error:  # told by the thread that judges
            errors.append(error)
    threads = []
    for victim in victims:
        names = list(faults)
        if len(victims) > 1:
            victim.random.shuffle(names)
        threads.append(threading.Thread(target=one, args=(victim, names), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def judge(observations, calm, struck):
    quiet, broken = observations.between(calm), observations.between(struck)
    late = [o for o in observations.lines if o.get("late")]
    if late:
        raise Late(f"{len(late)} commands took more than {LATE} s: {late[:3]}")
    gaps = [o["gap"] for o in broken if "gap" in o]
    before = [o["milliseconds"] for o in quiet if "milliseconds" in o]
    during = [o["milliseconds"] for o in broken if "milliseconds" in o]
    if len(before) < 50 or len(during) < 50 or not gaps:
        raise Failure(f"too little was seen: {len(before)} and {len(during)} commands, {len(gaps)} repetitions")
    if max(gaps) > 2:
        raise Late(f"a command was repeated after {max(gaps)} s instead of 1 s")
    calm99, struck99 = percentile(before, 0.99), percentile(during, 0.99)
    # The starts of the recording side take processor time on a small machine; what it must not take is turns.
    if struck99 > 2 * calm99 + 50:
        raise Late(f"p99 of reading to command: undisturbed {calm99} ms, disturbed {struck99} ms")
    return {"commands timed": len(before) + len(during), "p50": f"{percentile(before, .5):.1f} / {percentile(during, .5):.1f} ms",
            "p99": f"{calm99:.1f} / {struck99:.1f} ms", "slowest": f"{max(before):.1f} / {max(during):.1f} ms",
            "longest repetition": f"{max(gaps):.2f} s"}
