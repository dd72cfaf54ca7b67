"""The home around a real Home Assistant: a broker with the package's rights, hearthd with discovery; readings and pumps are the
wire's."""

import os
import shutil
import signal
import subprocess

from House.box import Box, wait
from House.brokers import Mosquitto
from House.processes import free_port
from instance import HomeAssistant

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Home:
    """Home broker, hearthd with discovery, Home Assistant; readings and pumps are the wire's."""

    def __init__(self, programs, tree):
        self.rig = Box(programs)
        self.start_broker()
        self.configure()
        self.start_hearthd()
        self.assistant = HomeAssistant(tree, free_port(), self.rig.home)

    def start_broker(self):
        """With the package's rights: sensors and pumps without a password, hearthd and Home Assistant with one each."""
        passwords = self.rig.file("passwords")
        for number, user in enumerate(("hearthd", "homeassistant")):
            subprocess.run(["mosquitto_passwd", *(["-c"] if number == 0 else []), "-b", passwords, user, f"{user}-password"],
                           check=True)
        with open(self.rig.file("password"), "w") as file:
            file.write("hearthd-password")
        acl = shutil.copy(os.path.join(ROOT, "systemd/examples/home-network/home-network.acl"), self.rig.file("home.acl"))
        # Only its owner may read what Mosquitto reads.
        for path in (acl, passwords):
            os.chmod(path, 0o600)
        self.rig.processes["home-broker"] = Mosquitto(
            self.rig.directory, "home-broker",
            f"listener {self.rig.home} 127.0.0.1\nallow_anonymous true\npassword_file {passwords}\nacl_file {acl}\n"
            "upgrade_outgoing_qos true\nmax_queued_messages 1000000000\nset_tcp_nodelay true\n", [self.rig.home]).process

    def configure(self, discovery=True, home="home1"):
        with open(self.rig.gateway.configuration, "w") as file:
            file.write(f'home = "{home}"\n[local]\nport = {self.rig.home}\nusername = "hearthd"\n'
                       f'password_file = "{self.rig.file("password")}"\n[cloud]\nenabled = false\n'
                       f'[journal]\npath = "{self.rig.file("journal.sqlite")}"\n[control]\nsocket = "{self.rig.socket}"\n'
                       '[thermostat]\non_below = 20.0\noff_above = 23.0\nmin_on = "0s"\nmin_off = "0s"\n'
                       'schedule = ["daily 00:00 comfort"]\n'
                       f'[rooms.office]\non_below = 20.0\n[home_assistant]\ndiscovery = {str(discovery).lower()}\n')

    def start_hearthd(self):
        self.rig.start_hearthd()
        wait(15, lambda: os.path.exists(self.rig.socket), "hearthd opens its control socket")

    def reload(self):
        self.rig.processes["hearthd"].signal(signal.SIGHUP)

    def close(self):
        self.assistant.stop()
        self.rig.close()
        shutil.rmtree(self.assistant.directory, ignore_errors=True)

    def entities(self, domain, room):
        return sorted(entry["entity_id"] for entry in self.assistant.registry("entity")
                      if entry["platform"] == "mqtt" and entry["entity_id"].startswith(domain + ".") and room in entry["entity_id"])

    def climate(self, room):
        """The room's thermostat as Home Assistant shows it."""
        found = self.entities("climate", room)
        return self.assistant.state(found[0]) if found else None

    def set(self, room, service, **data):
        self.assistant.call("climate", service, self.entities("climate", room)[0], **data)

    def reads(self, room, value, seconds=20):
        """A sensor that says this until it is shown."""
        def shown():
            self.rig.reading(room, value)
            climate = self.climate(room)
            return climate and climate["attributes"].get("current_temperature") == value

        wait(seconds, shown, f"{value} in {room} is shown")

    def waits(self, room, condition, what, seconds=5):
        """Waits until the room's thermostat shows what is expected."""
        def holds():
            climate = self.climate(room)
            return climate if climate and condition(climate["state"], climate["attributes"]) else None
        return wait(seconds, holds, lambda: f"{what}; it shows {self.climate(room)}")[0]
