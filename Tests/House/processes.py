"""Programs that do not outlive this one, the ports they listen on, and waiting for what they do."""

import ctypes
import os
import signal
import socket
import subprocess
import time

from House.checks import Failure, Late

CRASHES = (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def wait_for(condition, seconds, what, every=0.01):
    """- what: what is waited for, in words, or a function that says it when it has not come.
    - Returns: what the condition answered. Throws Late."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Late(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)


def comes(condition, seconds=30):
    """Whether it comes true in time. What cannot be reached yet has not come yet."""
    def holds():
        try:
            return condition()
        except OSError:
            return False
    try:
        return bool(wait_for(holds, seconds, "", every=0.05))
    except Late:
        return False


def popen(arguments, **options):
    """A process that does not outlive this one, whatever happens to it."""
    return subprocess.Popen(arguments, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL), **options)


def processor_seconds(process):
    """What the process has had of processors; proc_pid_stat(5)."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """A program that does not outlive this one, whose output goes to a file."""

    def __init__(self, arguments, log, environment=None):
        self.path = log
        with open(log, "ab") as output:
            self.child = popen([str(word) for word in arguments], stdin=subprocess.PIPE, stdout=output, stderr=output,
                               env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        """Whether it lives. That it killed itself by a trap is a failure wherever it is noticed."""
        code = self.child.poll()
        if code is not None and -code in CRASHES:
            raise Failure(f"{self.path}: ended by {signal.Signals(-code).name}: a crash of its own")
        return code is None

    def kill(self):
        self.running()
        self.end()

    def end(self):
        """Whatever it has come to."""
        self.child.kill()
        self.child.wait()

    def signal(self, number):
        self.child.send_signal(number)

    def terminate(self, seconds=15):
        """- Returns: its exit code."""
        self.running()
        self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.path}: does not stop within {seconds} s of SIGTERM") from None

    def stop(self, seconds=6):
        """By SIGTERM, and where that is not enough by SIGKILL: for what is in nobody's way any more."""
        self.child.terminate()
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()

    def output(self):
        with open(self.path, errors="replace") as f:
            return f.read()
