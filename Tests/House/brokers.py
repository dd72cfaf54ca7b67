"""Mosquitto on ports of its own: with a configuration of the caller's, like the packaged one, and with nothing on the disk."""

import glob
import os
import shutil

from House.processes import Process, free_port, listening, wait_for

# Debian has it where a user's PATH may not lead.
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def security_plugin():
    """Mosquitto's dynamic-security plugin; None where it is not installed. Debian has it in the directory of its architecture, the
    container image beside the other libraries."""
    return next((path for place in ("/usr/lib", "/usr/lib/*") for path in glob.glob(f"{place}/mosquitto_dynamic_security.so")), None)


class Mosquitto:
    """- text: its configuration, in which everything but the user is said.
    - ports: those it listens on when it is up."""

    def __init__(self, directory, name, text, ports):
        self.store, self.ports = os.path.join(directory, name), ports
        self.configuration = self.store + ".conf"
        with open(self.configuration, "w") as f:
            f.write(f"user root\n{text}")
        self.start()

    def start(self):
        self.process = Process([MOSQUITTO, "-c", self.configuration], self.store + ".log")
        wait_for(self.listens, 10, lambda: f"a broker listens; it says: {self.process.output()[-1000:]}")

    def listens(self):
        return all(listening(port) for port in self.ports)

    def kill(self):
        self.process.kill()

    def end(self):
        self.process.end()

    def stop(self):
        """- Returns: its exit code."""
        return self.process.terminate()


class Broker(Mosquitto):
    """Like the packaged one; a snapshot per change is left out where it is not killed."""

    def __init__(self, directory, name, durable=False, *, more="", port=None):
        self.port = port or free_port()
        store = os.path.join(directory, name)
        os.makedirs(store, exist_ok=True)
        super().__init__(
            directory, name, f"listener {self.port} 127.0.0.1\nallow_anonymous true\n{self.keeping(store)}max_queued_messages 0\n"
            f"max_inflight_messages 1000\nset_tcp_nodelay true\n{more}\n"
            + ("autosave_interval 1\nautosave_on_changes true\n" if durable else ""), [self.port])

    @staticmethod
    def keeping(store):
        return f"persistence true\npersistence_location {store}/\nupgrade_outgoing_qos true\n"

    def forget(self):
        """Sessions, queues, retained messages: its database is gone."""
        for name in os.listdir(self.store):
            os.remove(os.path.join(self.store, name))


class FleetingBroker(Broker):
    """The same with nothing on the disk, beside what is measured."""

    @staticmethod
    def keeping(store):
        return "persistence false\n"
