"""Reading to command: hearthd, Home Assistant's generic_thermostat and an echo, by turns on one broker, with one probe."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench
from House.brokers import FleetingBroker
from House.checks import not_run
from House.gateway import Gateway
from House.processes import free_port, popen, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TREES = os.path.join(ROOT, ".build-home-assistant")
# An MQTT sensor, an MQTT switch and the thermostat between them, as Home Assistant's documentation has them. Nothing else is
# loaded: no recorder, no frontend.
CONFIGURATION = """mqtt:
  - sensor:
      name: probe
      state_topic: probe/temperature
      value_template: "{{ value_json.value }}"
      unit_of_measurement: "°C"
      device_class: temperature
  - switch:
      name: probe
      command_topic: probe/heatpump
      payload_on: '{"status": "1"}'
      payload_off: '{"status": "0"}'
      qos: 1
climate:
  - platform: generic_thermostat
    name: probe
    heater: switch.probe
    target_sensor: sensor.probe
    target_temp: 22
    initial_hvac_mode: heat
"""


class Thermostats(bench.Bench):
    COUNT, WARM = 400, 100
    PAUSE = 20  # Milliseconds between a command and the next reading: Home Assistant notes its switch's state after the command.

    def command(self):
        """Beside an echo without a pause, which is the broker's and the machine's part, then all three with one."""
        self.latency()
        found, trees = {"echo": [], "hearthd": []}, self.trees()
        if trees:
            found["generic_thermostat"] = []
        for _ in range(self.options.runs):
            with tempfile.TemporaryDirectory() as directory:
                broker = FleetingBroker(directory, "home")
                for name, runs in found.items():
                    thermostat = self.thermostat(name, directory, broker.port, trees)
                    # All in one go: to a gateway a reading that comes again is none.
                    runs.append(self.probe(broker.port, self.WARM + self.COUNT, self.PAUSE)[self.WARM:])
                    thermostat.stop()
                broker.stop()
        for share, label in ((0.5, "p50"), (0.99, "p99")):
            each = {name: [self.percentile(run, share) for run in runs] for name, runs in found.items()}
            middle = {name: statistics.median(values) for name, values in each.items()}
            raw = "µs: " + "; ".join(f"{name} {middle[name]:.0f} {self.list(values)}" for name, values in each.items())
            self.row(f"reading to command, a reading each {self.PAUSE} ms, hearthd / echo, {label}", middle["hearthd"] / middle["echo"],
                     None, "lower", raw, **each)
            if trees:
                self.row(f"reading to command, hearthd / Home Assistant's generic_thermostat, {label}",
                         middle["hearthd"] / middle["generic_thermostat"], 1, "lower", raw, **each)

    def trees(self):
        """Where Home Assistant is; None where it is not, or cannot be started."""
        whole = [os.path.join(TREES, name.removesuffix(".complete")) for name in sorted(os.listdir(TREES)) if name.endswith(".complete")
                 ] if os.path.isdir(TREES) else []
        if not whole or os.getuid() != 0:
            not_run("Home Assistant's generic_thermostat", "its tree is not here (`scripts/test-home-assistant --tree` makes it), or "
                    "this is not root")
            return None
        return whole[0]

    def thermostat(self, name, directory, port, tree):
        """One that answers, until it is stopped."""
        if name == "generic_thermostat":
            return Assistant(tree, port)
        if name == "echo":
            return Echo(self.options.tools, port)
        gateway = Gateway(self.options.programs, tempfile.mkdtemp(dir=directory), port, free_port()).start()
        wait_for(gateway.connected, 15, "the gateway connects")
        return gateway


class Echo:
    def __init__(self, tools, port):
        self.process = popen([f"{tools}/echo", str(port)], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def stop(self):
        self.process.kill()
        self.process.wait()


class Assistant:
    """Home Assistant with one thermostat, once all of it has started."""

    def __init__(self, tree, port):
        sys.path.append(os.path.join(ROOT, "Tests", "HomeAssistant"))
        from instance import HomeAssistant

        self.home = HomeAssistant(tree, free_port(), port)
        with open(os.path.join(self.home.directory, "configuration.yaml"), "a") as file:
            file.write(CONFIGURATION)
        self.home.start()
        wait_for(self.home.is_running, 120, lambda: f"Home Assistant runs; it says: {self.home.log()[-2000:]}", every=0.5)

        def heats():
            subprocess.run(["mosquitto_pub", "-p", str(port), "-t", "probe/temperature", "-m", '{"value": 27.5}'], check=True)
            climate = self.home.state("climate.probe")
            return climate and climate["state"] == "heat" and climate["attributes"].get("current_temperature") == 27.5

        wait_for(heats, 30, lambda: f"its thermostat has a temperature; it says: {self.home.log()[-2000:]}", every=0.5)

    def stop(self):
        self.home.stop()
        shutil.rmtree(self.home.directory, ignore_errors=True)
