"""Power cuts: file systems on loop devices that forget what was not synced."""

import os
import subprocess

from House.disks import Disk
from House.processes import wait_for
from scenarios import chain, confirmed, finish, flowing, scenario


def power_cuts(run, kind, cuts):
    disk = Disk(run.directory, kind)
    try:
        with chain(run, home_options={"journal": disk.path + "/journal.sqlite"}) as rig:
            home = rig.homes[0]
            home.feed(rate=400, seed=run.seed)
            for number in range(cuts):
                # A backlog now and then, so that a cut meets full journals as well as empty ones.
                if number % 3 == 1:
                    home.offline()
                else:
                    home.link.mode = "pass"
                flowing(home, run.random.randint(1, 150), 60)
                disk.cut()
                home.kill()
                disk.unmount()
                disk.mount()
                home.start()
            return finish(rig, cuts=cuts)
    finally:
        disk.remove()


@scenario("power-cut-ext4", "the home box loses power, journal on ext4")
def ext4(run):
    return power_cuts(run, "ext4", run.pick(12, 300))


@scenario("power-cut-xfs", "the home box loses power, journal on xfs")
def xfs(run):
    return power_cuts(run, "xfs", run.pick(6, 200))


@scenario("power-cut-event-log", "the machine of the embedded event log loses power")
def event_log(run):
    disk = Disk(run.directory)
    cuts = run.pick(8, 150)
    try:
        with chain(run) as rig:
            rig.kill("serve")
            rig.environment["JOURNAL_PATH"] = disk.path + "/events.sqlite"
            rig.start("serve")
            home = rig.homes[0]
            home.feed(rate=200, seed=run.seed)
            for _ in range(cuts):
                flowing(home, run.random.randint(10, 100), 60)
                confirmed(home)
                disk.cut()
                rig.kill("serve")
                disk.unmount()
                disk.mount()
                rig.start("serve")
            counts = finish(rig, cuts=cuts)
            rig.kill("serve")
            return counts
    finally:
        disk.remove()


@scenario("disk-full", "another process fills the disk; the space comes back")
def full(run):
    disk = Disk(run.directory, size=24 << 20)
    try:
        with chain(run, home_options={"journal": disk.path + "/journal.sqlite", "max_size": "16MiB"}) as rig:
            home = rig.homes[0]
            home.offline()
            home.feed(rate=2000, rooms=5, seed=run.seed)
            flowing(home, 500)
            fill(disk.path + "/ballast")
            wait_for(lambda: alarm(home, "not-recording"), 90, "the reserve is used up and the gateway says so")
            home.stop_feeding()
            before = home.acknowledged()
            os.remove(disk.path + "/ballast")
            home.link.mode = "pass"
            home.feed(rate=50, seed=run.seed + 1, reliable=True)
            flowing(home, 50, 30)
            counts = finish(rig, 180, kept=before)
            return counts
    finally:
        disk.remove()


def alarm(home, name):
    return any(a["name"] == name for a in (home.status() or {}).get("alarms", []))


def fill(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    size = 1 << 20
    while size >= 512:
        try:
            os.write(descriptor, b"x" * size)
        except OSError:
            size //= 2
    os.close(descriptor)


@scenario("inodes-exhausted", "the file system has room, and no file can be made")
def inodes(run):
    disk = Disk(run.directory, inodes=64)
    try:
        with chain(run, home_options={"journal": disk.path + "/journal.sqlite"}) as rig:
            home = rig.homes[0]
            home.feed(rate=100, seed=run.seed)
            flowing(home)
            files = exhaust(disk.path + "/file")
            flowing(home)
            home.restart()
            flowing(home)
            home.stop_feeding()
            wait_for(lambda: home.backlog() == 0, 30, "the cloud has everything")
            home.kill()
            # A journal that must be set aside now has no successor.
            with open(home.journal, "r+b") as f:
                f.write(b"not a journal" * 400)
            os.remove(home.journal + "-wal")
            home.start()
            wait_for(lambda: alarm(home, "journal-unavailable"), 30, "the gateway says that it has no journal")
            home.feed(rate=50, seed=run.seed + 1)
            for path in files:
                os.remove(path)
            flowing(home, 50, 60)
            return finish(rig, files=len(files))
    finally:
        disk.remove()


def exhaust(path):
    made = []
    while True:
        try:
            os.close(os.open(f"{path}{len(made)}", os.O_WRONLY | os.O_CREAT))
        except OSError:
            return made
        made.append(f"{path}{len(made)}")


@scenario("disk-read-only", "the file system turns read-only under the gateway, and is mounted again")
def read_only(run):
    disk = Disk(run.directory)
    try:
        with chain(run, home_options={"journal": disk.path + "/journal.sqlite"}) as rig:
            home = rig.homes[0]
            home.feed(rate=200, seed=run.seed)
            flowing(home)
            # What the kernel does to an ext4 with errors (ext4(5), option abort).
            subprocess.run(["mount", "-o", "remount,abort", disk.path], capture_output=True, check=False)
            wait_for(lambda: alarm(home, "not-recording"), 30, "the gateway says that it does not record")
            home.kill()
            disk.unmount()
            disk.mount()
            home.start()
            flowing(home)
            return finish(rig)
    finally:
        disk.remove()
