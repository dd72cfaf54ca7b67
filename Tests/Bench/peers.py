"""Hearth and its peers side by side: how fast each takes readings from a home to a cloud broker, and what each loses of
what it had acknowledged when it is killed, when the power goes, and when the cloud broker dies. Called by
scripts/bench --peers.

Acknowledged means seen on the wire: a PUBACK to the home broker, or, for the bridge, which is the home broker itself, to
the sensor. Arrived means taken from the cloud broker by a subscriber with a persistent session; for Hearth, stored by
its ingestor, whose confirmation is part of the protocol.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from carriers import PEERS, Site
from House.disks import Disk
from House.processes import wait_for


def quiet(peer, seconds=60, still=6):
    """Until nothing has arrived any more for a while, or everything is there."""
    began = grew = time.monotonic()
    count = -1
    while time.monotonic() - began < seconds and time.monotonic() - grew < still:
        if peer.acknowledged() <= set(peer.arrived()):
            time.sleep(0.5)
            if peer.acknowledged() <= set(peer.arrived()):
                return
        if len(peer.arrived()) != count:
            count, grew = len(peer.arrived()), time.monotonic()
        time.sleep(0.3)


def run(options, kind, fault, count):
    """- Returns: what was acknowledged, lost and doubled, and readings/s for the fault "none"."""
    directory = tempfile.mkdtemp(prefix="hearth-peers-")
    disk = Disk(directory) if fault == "power" else None
    site = Site(options, directory)
    peer = kind(site, disk.path if disk else directory)
    try:
        peer.listen()
        peer.start()
        wait_for(peer.is_ready, 40, f"{kind.name} connects")
        time.sleep(3 if "Things" in kind.name else 1)
        seconds = globals()["fault_" + fault](site, peer, disk, count)
        acknowledged, arrived = peer.acknowledged(), peer.arrived()
        return {"acknowledged": len(acknowledged), "lost": len(acknowledged - set(arrived)),
                "doubled": len(arrived) - len(set(arrived)), "rate": len(set(arrived)) / seconds if seconds else None}
    finally:
        peer.close()
        site.close()
        if disk:
            disk.remove()
        shutil.rmtree(directory, ignore_errors=True)


def fault_none(site, peer, _disk, count):
    start = time.monotonic()
    feeder = site.feed(peer.feed_port, count, 0)
    deadline = start + 60
    while len(set(peer.arrived())) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    seconds = time.monotonic() - start
    feeder.kill()
    return seconds


def offline(site):
    site.link.mode = "refuse"
    site.link.cut()


def fault_kill(site, peer, _disk, count):
    """kill -9 five times during an outage of the link, with readings coming in."""
    offline(site)
    feeder = site.feed(peer.feed_port, count, 200)
    for _ in range(5):
        time.sleep(count / 200 / 6)
        peer.restart()
    feeder.child.wait(120)
    site.link.mode = "pass"
    peer.restart()
    quiet(peer)


def fault_power(site, peer, disk, count):
    """The power goes once during an outage, a moment after the last acknowledgement."""
    offline(site)
    feeder = site.feed(peer.feed_port, count, 200)
    wait_for(lambda: len(peer.acknowledged()) > count // 2, 60, "half of it is acknowledged")
    disk.cut()
    peer.kill()
    disk.unmount()
    disk.mount()
    site.link.mode = "pass"
    peer.start()
    feeder.child.wait(120)
    quiet(peer)


def fault_broker(site, peer, _disk, count):
    """The cloud broker dies holding what it has acknowledged to the gateway, its receiver being away."""
    feeder = site.feed(peer.feed_port, count, 200)
    wait_for(lambda: len(peer.arrived()) > count // 4, 60, "readings arrive")
    peer.deafen()
    wait_for(lambda: len(peer.acknowledged()) > count // 2, 60, "half of it is acknowledged")
    time.sleep(1)
    site.cloud.kill()
    site.cloud.start()
    peer.listen()
    feeder.child.wait(120)
    quiet(peer, 90, 15)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench --peers")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--tools")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with paho-mqtt and thingsboard-gateway")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--only")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.thingsboard = subprocess.run(
        [options.python, "-c", "import thingsboard_gateway as t, os; print(os.path.dirname(t.__file__))"],
        check=True, capture_output=True, text=True).stdout.strip()
    rows = []
    for kind in PEERS:
        if options.only and options.only.lower() not in f"{kind.name} {kind.note}".lower():
            continue
        row = {"peer": kind.name, "settings": kind.note}
        for fault in ("none", "kill", "power", "broker"):
            try:
                row[fault] = run(options, kind, fault, options.count * (5 if fault == "none" else 1))
            except Exception as error:  # a peer that does not get through is a result, not the end of the table
                row[fault] = {"error": f"{type(error).__name__}: {error}"}
            print(f"{kind.name} ({kind.note}), {fault}: {row[fault]}", flush=True)
        rows.append(row)
    table(rows)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(rows, f, indent=1)
    return 0


def table(rows):
    print("\n| | readings/s | lost / acknowledged: kill -9 five times in an outage | power cut in an outage | cloud broker killed |"
          "\n|---|---|---|---|---|")
    for row in rows:
        cells = []
        for fault in ("kill", "power", "broker"):
            r = row[fault]
            cells.append(r.get("error") or f"**{r['lost']}** / {r['acknowledged']}, {r['doubled']} doubled")
        rate = row["none"].get("rate")
        print(f"| {row['peer']}, {row['settings']} | {row['none'].get('error') or f'{rate:.0f}'} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
