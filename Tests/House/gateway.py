"""Brokers and gateways for the benchmarks."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.005)


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def popen(*arguments, **options):
    """A process that does not outlive this one, whatever happens to it."""
    return subprocess.Popen(*arguments, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL), **options)


def processor_seconds(process):
    """What the process has had of processors; proc_pid_stat(5)."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Broker:
    """A Mosquitto with a window of 1000 on both sides and no snapshot per change."""

    def __init__(self, directory, name, port=None):
        self.port = port or free_port()
        path = os.path.join(directory, f"{name}.conf")
        store = os.path.join(directory, name)
        os.makedirs(store, exist_ok=True)
        with open(path, "w") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
                    f"max_inflight_messages 1000\npersistence false\n")
            if os.geteuid() == 0:
                f.write("user root\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = popen([program, "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: listening(self.port), 10, f"{name} listens")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Gateway:
    def __init__(self, programs, directory, home, cloud, extra="", name="home1"):
        self.socket = os.path.join(directory, "control.sock")
        self.programs = programs
        self.config = os.path.join(directory, "hearthd.toml")
        with open(self.config, "w") as f:
            f.write(f'home = "{name}"\n[local]\nport = {home}\n[cloud]\nport = {cloud}\n[journal]\n'
                    f'path = "{directory}/journal.sqlite"\nmax_size = "4GiB"\n[control]\nsocket = "{self.socket}"\n{extra}\n')
        self.log = open(os.path.join(directory, "hearthd.log"), "a")
        self.start()

    def start(self):
        self.process = popen([f"{self.programs}/hearthd", "--config", self.config], stderr=self.log)

    def status(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.socket)
            s.sendall(b'{"method":"io.hearth.Gateway.Status"}\0')
            reply = b""
            while not reply.endswith(b"\0"):
                reply += s.recv(1 << 16)
        return json.loads(reply[:-1])["parameters"]

    def try_status(self):
        try:
            return self.status()
        except (OSError, ValueError):
            return None

    def connected(self):
        status = self.try_status()
        return bool(status) and [l["state"] for l in status["links"][:2]] == ["connected"] * 2

    def records(self):
        """Whether the home broker has taken its subscriptions, so that what is published from now on is its own."""
        with open(self.log.name) as f:
            return "recording" in f.read()

    def memory(self):
        """Of both processes together in KiB: resident memory, and what of it is anonymous."""
        values = {}
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as f:
                for line in f:
                    if line.startswith(("VmRSS", "RssAnon")):
                        name = line.split(":")[0]
                        values[name] = values.get(name, 0) + int(line.split()[1])
        return values

    def pids(self):
        """The heating and, while it runs, the recording side."""
        recording = (self.try_status() or {}).get("recording", {}).get("pid")
        return [self.process.pid] + ([recording] if recording else [])

    def cpu(self, thread=None):
        """Seconds on a processor, of the threads that are there or of the one with this name; /proc/PID/stat counts in
        hundredths."""
        seconds = 0
        tasks = [f"/proc/{pid}/task/{task}" for pid in self.pids() for task in os.listdir(f"/proc/{pid}/task")]
        for task in tasks:
            with open(f"{task}/comm") as name:
                if thread not in (None, name.read().strip()):
                    continue
            with open(f"{task}/schedstat") as f:
                seconds += int(f.read().split()[0]) / 1e9
        return seconds

    def stop(self, kill=False):
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait()
