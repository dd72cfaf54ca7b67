"""Another gateway of the same home, and strangers who took the names that a gateway goes by."""

import os
import shutil
import socket
import subprocess

from House.checks import Failure
from House.processes import Process, wait_for
from scenarios import chain, finish, flowing, scenario


@scenario("second-gateway", "a second gateway for the same home, and strangers who took its names before it")
def second_gateway(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        refusals = 0
        for other in (second(home, "b"), second(home, "c", socket=home.socket), second(home, "d", journal=home.journal)):
            for _ in range(3):
                refused(rig, other, home.process.pid)
                refusals += 1
        stranger(run, home)
        keeps_what_is_there(home)
        flowing(home)
        return finish(rig, refusals=refusals)


def second(home, name, socket=None, journal=None):
    """The configuration of another gateway; the same home when neither socket nor journal is."""
    with open(home.configuration) as f:
        text = f.read()
    text = text.replace(f'"{home.socket}"', f'"{socket or home.socket + name}"')
    text = text.replace(f'"{home.journal}"', f'"{journal or home.journal + name}"')
    if socket or journal:
        text = text.replace(f'home = "{home.name}"', f'home = "{name}"')
    path = home.configuration + name
    with open(path, "w") as f:
        f.write(text)
    return path


def refused(rig, configuration, pid):
    answer = subprocess.run([rig.program("hearthd"), "--config", configuration], capture_output=True, text=True, timeout=10)
    if answer.returncode != 75 or f"process {pid} " not in answer.stderr:
        raise Failure(f"a second gateway: status {answer.returncode}, {answer.stderr.strip()}")


SQUAT = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1].replace("@", "\\0", 1))
s.listen(0)
waiting = []
for _ in range(9):
    c = socket.socket(socket.AF_UNIX)
    c.setblocking(False)
    waiting.append(c)
    try:
        c.connect(sys.argv[1].replace("@", "\\0", 1))
    except BlockingIOError:
        pass
print("there", flush=True)
time.sleep(60)
"""


def stranger(run, home):
    """Another user has the home's name, and a full line before it: the house is heated all the same."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return
    home.process.terminate()
    log = run.directory + "/stranger.log"
    os.chmod(run.directory, 0o755)
    squatter = Process(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", SQUAT,
                        f"@hearthd home {home.name} localhost:{home.wire.port}"], log)
    wait_for(lambda: "there" in squatter.output(), 10, "a stranger has the name")
    home.start()
    wait_for(lambda: (home.status() or {"links": [{"state": ""}]})["links"][0]["state"] == "connected", 10, "the house is heated")
    squatter.end()


def keeps_what_is_there(home):
    """What lies under the socket's name and is not the gateway's stays there."""
    home.process.terminate()
    with open(home.socket, "w") as f:
        f.write("precious")
    home.start()
    wait_for(lambda: "no socket has this name" in home.process.output(), 10, "it says what is in the way")
    home.process.terminate()
    with open(home.socket) as f:
        if f.read() != "precious":
            raise Failure("a file under the socket's name was changed")
    os.remove(home.socket)
    home.start()
    wait_for(home.status, 10, "it answers")
    os.remove(home.socket)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(home.socket)
        other.listen()
        home.process.terminate()
        if not os.path.exists(home.socket):
            raise Failure("another's socket was removed")
    os.remove(home.socket)
    home.start()
