"""Disks that stall and fail, and files that come back damaged."""

import os
import shutil
import time

from House.checks import Failure
from House.processes import wait_for
from House.readings import readings
from oracle import Oracle
from processes import write
from scenarios import chain, finish, flowing, scenario

PAGE = 4096


@scenario("fsync-stalls-and-errors", "every fsync hangs, or writes fail with EIO or ENOSPC, again and again")
def stalls(run):
    fault = run.directory + "/fault"
    write(fault, "")
    with chain(run) as rig:
        home = rig.homes[0]
        home.restart({"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault})
        # Slow enough that a failed commit often finds no message unread: a connection that is closed with one is reset,
        # and whatever it had wrongly written before may be lost on the way.
        home.feed(rate=40, seed=run.seed)
        flowing(home)
        kinds = ["stall 400", "eio", "enospc", "stall 30000"]
        for number in range(run.pick(8, 40)):
            kind = kinds[number % 4]
            write(fault, kind)
            time.sleep(0.3)  # a commit may be past the fault when it comes
            before = home.acknowledged()
            time.sleep(run.pick(0.7, run.random.uniform(0.5, 4)))
            if kind != "stall 400" and home.acknowledged() != before:
                raise Failure(f"acknowledged {home.acknowledged() - before} records while the disk gave '{kind}'")
            write(fault, "")
            flowing(home, 20)
        return finish(rig)


@scenario("event-log-disk-errors", "the same under the embedded event log")
def cloud_disk(run):
    fault = run.directory + "/fault"
    write(fault, "")
    shadow = run.directory + "/cloud-journal.sqlite"  # the fault library knows journals by this name
    with chain(run) as rig:
        rig.kill("serve")
        rig.environment["JOURNAL_PATH"] = shadow
        lives = rig.services["serve"].output().count("connected to the cloud broker")
        rig.start("serve", {"LD_PRELOAD": run.diskfaults, "HEARTH_FAULT_FILE": fault})
        # A service that cannot open its journal ends, and is started again by whoever runs it.
        wait_for(lambda: rig.services["serve"].output().count("connected to the cloud broker") > lives, 30, "serve is up")
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        for number in range(run.pick(3, 30)):
            write(fault, ["eio", "enospc", "stall 500"][number % 3])
            time.sleep(run.pick(0.7, run.random.uniform(0.3, 4)))
            write(fault, "")
            time.sleep(0.3)
        return finish(rig)


@scenario("bit-flips", "one bit of a page of a full journal is flipped, page after page, of database and log")
def flips(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.offline()
        home.feed(rate=2000, rooms=4, seed=run.seed)
        flowing(home, 3000)
        home.stop_feeding()
        time.sleep(0.2)
        if run.random.random() < 0.5:
            home.process.terminate()  # leaves everything in the database
        else:
            home.kill()  # leaves everything in the log
        files = [f for f in (home.journal, home.journal + "-wal") if os.path.exists(f) and os.path.getsize(f)]
        pages = [(f, p) for f in files for p in (log_pages(f) if f.endswith("-wal") else used_pages(f))]
        # A commit may be done and its acknowledgements still be on their way.
        given, wanted = (readings(home.wire.snapshot(part)) for part in ("delivered", "acknowledged"))
        chosen = run.random.sample(pages, min(len(pages), run.pick(10, 150)))
        totals = {"flips": 0, "rows lost": 0}
        for number, (file, page) in enumerate(chosen):
            victim = flipped(run, rig, home, file, page, number)
            wait_for(lambda v=victim: v.backlog() == 0, 60, f"flip {number} ({os.path.basename(file)}, page {page}) drains")
            totals["flips"] += 1
            totals["rows lost"] += check_flip(rig, victim, given, wanted, f"{os.path.basename(file)}, page {page}")
            victim.kill()
            victim.broker.kill()
        rig.aside = {victim.name for victim in rig.homes[1:]}
        rig.homes = [home]
        # The undamaged journal still has everything.
        return finish(rig, **totals)


def used_pages(file):
    """Blocks of a file that are not all zero."""
    with open(file, "rb") as f:
        blocks = [f.read(PAGE) for _ in range(os.path.getsize(file) // PAGE)]
    return [n for n, block in enumerate(blocks) if any(block)]


def log_pages(file):
    """Blocks of a log before its last commit, however large that is on a busy machine: a bit that is wrong in the last
    one looks like a write that a power cut tore. The format is https://www.sqlite.org/fileformat2.html#walformat."""
    last = start = 0
    with open(file, "rb") as f:
        head = f.read(32)
        frame = 24 + int.from_bytes(head[8:12], "big")
        while len(header := f.read(frame)[:24]) == 24 and header[8:16] == head[16:24]:
            if any(header[4:8]):  # the database's size in pages, which only the last frame of a commit has
                last, start = start, f.tell()
    return list(range(last // PAGE))


def flipped(run, rig, home, file, page, number):
    """A home that wakes up with a copy of the journal in which one bit is wrong."""
    victim = rig.home(f"flip{number}")
    for source in (home.journal, home.journal + "-wal"):
        if os.path.exists(source):
            shutil.copy(source, source.replace(home.directory, victim.directory))
    with open(file.replace(home.directory, victim.directory), "r+b") as f:
        position = page * PAGE + run.random.randrange(PAGE)
        f.seek(position)
        byte = f.read(1)[0]
        f.seek(position)
        f.write(bytes([byte ^ 1 << run.random.randrange(8)]))
    victim.start()
    return victim


def check_flip(rig, victim, given, wanted, where):
    """Nothing wrong arrived, and what is missing was counted. Returns how many rows are missing."""
    def arrived():
        return rig.influx.points("raw_temperature", ["value"], "raw").get(victim.name, {})
    began = time.monotonic()

    def waits():
        status = victim.status()
        return time.monotonic() - began < 60 and (not status or (status["uplink"] or {}).get("backlog") != 0)
    found, grew = arrived(), time.monotonic()
    while wanted.keys() - found.keys() and (time.monotonic() - grew < 8 or waits()):
        time.sleep(0.1)
        before, found = len(found), arrived()
        if len(found) > before:
            grew = time.monotonic()
    wrong = [k for k in found if k not in given or found[k] != given[k]]
    if wrong:
        raise Failure(f"{where}: {len(wrong)} readings arrived that were never given: {wrong[:3]}")
    missing = len(wanted.keys() - found.keys())
    journal = victim.status()["journal"]
    if missing > journal["quarantined"] + journal["dropped"]:
        raise Failure(f"{where}: {missing} readings are missing and the gateway counts less: {journal}, "
                      f"files {os.listdir(victim.directory)}")
    return missing


@scenario("journal-destroyed", "the journal is cut short, emptied, replaced by something else, or its log is gone")
def destroyed(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=200, seed=run.seed)
        flowing(home)
        home.stop_feeding()
        wait_for(lambda: home.backlog() == 0, 30, "everything is forwarded")
        # What is in the file is forwarded; from here on the file may die, and what comes after must arrive.
        Oracle(rig).verify(30)
        for number, damage in enumerate([shorten, empty, replace_all, remove_log]):
            home.process.terminate()
            damage(home.journal)
            home.start()
            home.feed(rate=200, seed=run.seed + number + 1)
            flowing(home, 60)
            home.stop_feeding()
            wait_for(lambda: home.backlog() == 0, 30, "everything is forwarded")
        kept = [n for n in os.listdir(home.directory) if "damaged" in n]
        if not kept:
            raise Failure("the damaged files were not kept as evidence")
        return finish(rig, evidence=len(kept))


def shorten(path):
    os.truncate(path, os.path.getsize(path) // 2 // PAGE * PAGE + 100)


def empty(path):
    for name in (path, path + "-wal"):
        if os.path.exists(name):
            os.truncate(name, 0)


def replace_all(path):
    for name in (path, path + "-wal"):
        if os.path.exists(name):
            os.remove(name)
    write(path, "this is no database\n" * 500)


def remove_log(path):
    if os.path.exists(path + "-wal"):
        os.remove(path + "-wal")
