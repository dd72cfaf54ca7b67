"""Confirmations that are lost, repeated, late, from another life, forged, or meant for somebody else."""

import json
import signal
import time

from House import mqtt
from House.processes import Process, wait_for
from House.proxy import DOWN, UP
from scenarios import chain, finish, flowing, scenario


class Forger:
    """Stands on the cloud link and disturbs `<home>/gateway/ack`.

    Nothing it makes up may name what the gateway has sent in this epoch and the log has not confirmed: that would be
    the ingestor's own word, which the gateway has to believe.
    """

    def __init__(self, run, name):
        self.random, self.name = run.random, name
        self.topic = f"{name}/gateway/ack"
        self.old = []
        self.counts = {"lost": 0, "repeated": 0, "stale": 0, "forged": 0}

    def __call__(self, direction, packet, level):
        if direction != DOWN or mqtt.kind(packet) != mqtt.PUBLISH:
            return [packet]
        message = mqtt.publication(packet, level)
        if message.topic != self.topic:
            return [packet]
        out = []
        choice = self.random.random()
        if choice < 0.35:
            self.counts["lost"] += 1
            if message.qos:
                # Only its words are lost: a PUBLISH that vanished would leave the broker waiting for its PUBACK.
                out.append(mqtt.publish(self.topic, b"{}", level, 1, message.packet_id))
        else:
            out.append(packet)
        if choice > 0.7:
            self.counts["repeated"] += 1
            out.append(mqtt.publish(self.topic, message.payload, level))
        if self.old and self.random.random() < 0.5:
            self.counts["stale"] += 1
            out.append(mqtt.publish(self.topic, self.random.choice(self.old), level))
        out += [mqtt.publish(topic, payload, level) for topic, payload in self.forgeries(message.payload)]
        self.old = (self.old + [message.payload])[-50:]
        return out

    def forgeries(self, payload):
        try:
            epoch = json.loads(payload)["epoch"]
        except (ValueError, KeyError):
            return []
        far = 1 << 40
        everything = [
            {"epoch": "0" * 32, "ranges": [[1, far]]}, {"epoch": "", "ranges": [[1, far]]}, {"ranges": [[1, far]]},
            {"epoch": epoch, "ranges": [[far, far * 2]]}, {"epoch": epoch, "ranges": [[far, 1]]},
            {"epoch": epoch, "ranges": [[-far, -1]]}, {"epoch": epoch, "ranges": [[1]]}, {"epoch": epoch, "ranges": "all"},
            {"epoch": epoch.upper() + "x", "ranges": [[1, far]]}, {"epoch": epoch, "ranges": [["1", str(far)]]}, [], 7, None]
        chosen = self.random.sample(everything, 3)
        self.counts["forged"] += len(chosen) + 1
        return [(self.topic, json.dumps(c).encode()) for c in chosen] + [
            (f"{self.name}x/gateway/ack", json.dumps({"epoch": epoch, "ranges": [[1, far]]}).encode())]


@scenario("confirmations-lost-stale-forged", "confirmations are lost, repeated, late, of another epoch, beyond, malformed")
def forged(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.link.rewrite = forger = Forger(run, home.name)
        home.feed(rate=300, seed=run.seed)
        flowing(home)
        deadline = time.monotonic() + run.pick(8, 120)
        kills = 0
        while time.monotonic() < deadline:
            # The broker dies with what nobody has taken: whoever believed a forgery would have let it go.
            rig.kill("serve")
            flowing(home, 60, 30)
            rig.broker.kill()
            rig.broker.start()
            rig.start("serve")
            home.restart()
            flowing(home, 60, 30)
            confirmations = home.link.count("delivered")
            wait_for(lambda c=confirmations: home.link.count("delivered") > c, 20, "a confirmation passes")
            kills += 1
        return finish(rig, kills=kills, **forger.counts)


@scenario("cloud-broker-refuses", "the cloud broker refuses records by its access list, then takes them")
def refused(run):
    with chain(run) as rig:
        home = rig.homes[0]
        home.feed(rate=100, seed=run.seed)
        flowing(home)
        access = run.directory + "/acl"
        with open(access, "w") as f:
            f.write("topic read #\n")
        with open(rig.broker.configuration) as f:
            allowed = f.read()
        for _ in range(run.pick(1, 5)):
            with open(rig.broker.configuration, "w") as f:
                f.write(allowed + f"acl_file {access}\n")
            rig.broker.kill()
            rig.broker.start()
            home.restart()
            flowing(home, 100)
            with open(rig.broker.configuration, "w") as f:
                f.write(allowed)
            rig.broker.kill()
            rig.broker.start()
            home.restart()
        return finish(rig)


@scenario("records-lost-on-the-way", "single records vanish between the gateway and the ingestor, though the broker acknowledges")
def holes(run):
    lost = []

    def lose(direction, packet, level):
        if direction != UP or mqtt.kind(packet) != mqtt.PUBLISH or run.random.random() > 0.2:
            return [packet]
        message = mqtt.publication(packet, level)
        if not message.topic.endswith(("/temperature", "/frame")):
            return [packet]
        lost.append(message)
        # To a topic that nobody reads, so that the broker answers as if all were well.
        return [mqtt.publish(f"lost/{len(lost)}", b"", level, 1, message.packet_id)]

    with chain(run) as rig:
        home = rig.homes[0]
        listener = Process(["mosquitto_sub", "-p", str(rig.broker.port), "-t", "lost/#"], run.directory + "/lost.log")
        home.link.rewrite = lose
        home.feed(rate=300, seed=run.seed)
        flowing(home, 900)
        home.stop_feeding()
        # What arrives at once is confirmed at once, the holes in it too if somebody confirms from the first to the last. So slowly,
        # records travel alone and not as a frame.
        home.feed(rate=20, seed=run.seed + 1)
        for _ in range(run.pick(4, 12)):
            rig.services["serve"].signal(signal.SIGSTOP)
            time.sleep(1.5)
            rig.services["serve"].signal(signal.SIGCONT)
            flowing(home, 20)
        home.stop_feeding()
        time.sleep(1)
        home.link.rewrite = None
        # On the same connection: whoever only sends again after a reconnect has forgotten them.
        counts = finish(rig, 150, hurry=False, lost=len(lost))
        listener.kill()
        return counts
