#!/usr/bin/env python3
"""A broker whose packets are wrong: mutated CONNACK, PUBLISH, SUBACK, PUBACK, DISCONNECT, AUTH with unknown, doubled, truncated
properties and wrong lengths, against the real programs; meanwhile a real Mosquitto serves the other side.

    hostile_broker.py BIN_DIRECTORY [SECONDS of each part and version] [SEED] [home|cloud|ingest ...]

Right: hearthd is the same process at the end and, with the hostile peer at the cloud's address, every reading at home was
answered by its command within two seconds; with it at the home broker's address, the uplink stayed connected and the pump
hears again as soon as the real broker is back; hearth-cloud is the same process too."""
import json, os, random, shutil, socket, struct, subprocess, sys, tempfile, threading, time

BIN = os.path.abspath(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
PARTS = sys.argv[4:] or ["home", "cloud", "ingest"]
KNOWN = [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C, 0x1F, 0x21, 0x22,
         0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A]


def varint(value):
    out = b""
    while True:
        out += bytes([value % 128 | (0x80 if value >= 128 else 0)])
        value //= 128
        if not value:
            return out


def text(value):
    return struct.pack(">H", len(value)) + value


def prop(r):
    """One property: mostly of the right shape, sometimes unknown or of any bytes."""
    kind = r.random()
    if kind < 0.25:
        return bytes([r.choice([0, 4, 5, 0x0A, 0x10, 0x14, 0x2B, 0x7F, r.randrange(128)])]) + r.randbytes(r.randrange(4))
    if kind < 0.32:
        return varint(r.randrange(1 << 28)) + r.randbytes(r.randrange(4))
    number = r.choice(KNOWN)
    if number in (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A):
        body = bytes([r.choice([0, 1, 2, 255])])
    elif number in (0x13, 0x21, 0x22, 0x23):
        body = struct.pack(">H", r.choice([0, 1, 5, 65535]))
    elif number in (0x02, 0x11, 0x18, 0x27):
        body = struct.pack(">I", r.choice([0, 1, 200, 1 << 31]))
    elif number == 0x0B:
        body = varint(r.randrange(1 << 20))
    elif number == 0x26:
        body = text(r.randbytes(r.randrange(4))) + text(b"v" * r.randrange(300))
    else:
        body = text(r.choice([b"", b"x", b"\xff\xfe", b"a\x00b", b"y" * r.randrange(500)]))
    return bytes([number]) + body


def properties(r):
    several = [prop(r) for _ in range(r.choice([0, 1, 1, 2, 3]))]
    if several and r.random() < 0.3:
        several.append(several[0])
    body = b"".join(several)
    if r.random() < 0.2:
        body = body[: r.randrange(len(body) + 1)]
    length = len(body) if r.random() < 0.8 else r.randrange(len(body) + 20)
    return varint(length) + body


def packet(r, header, body):
    if r.random() < 0.1:
        body = body[: r.randrange(len(body) + 1)]
    if r.random() < 0.05:
        body += r.randbytes(r.randrange(8))
    length = len(body) if r.random() < 0.9 else r.choice([0, 1, 2, 3, len(body) + 5, 127, 128, 16383, 268435455])
    if r.random() < 0.03:
        header = r.randrange(256)
    return bytes([header]) + varint(length) + body


def mutated(r, identifier):
    number = struct.pack(">H", identifier if r.random() < 0.8 else r.randrange(65536))
    reason = bytes([r.choice([0, 0, 1, 0x10, 0x80, 0x87, 0x8E, 0x97, r.randrange(256)])])
    topic = text(r.choice([b"office/temperature", b"a/b", b"", b"\xff", b"home1/gateway/ack", b"home1/office/heatpump/set",
                           b"hearth/rooms/office", b"#", b"x" * 300]))
    qos = r.randrange(4)
    payload = r.choice([b"", b'{"timestamp": "2026-11-23T10:00:00", "value": 17}', b'{"status": "1"}', r.randbytes(20)])
    return r.choice([
        lambda: packet(r, 0x30 | qos << 1 | r.randrange(2), topic + (number if qos else b"") + properties(r) + payload),
        lambda: packet(r, 0x40, number + reason + properties(r)), lambda: packet(r, 0x40, number),
        lambda: packet(r, 0x50, number + reason + properties(r)), lambda: packet(r, 0x62, number + reason + properties(r)),
        lambda: packet(r, 0x70, number + reason + properties(r)),
        lambda: packet(r, 0x90, number + properties(r) + reason * r.randrange(4)),
        lambda: packet(r, 0xB0, number + properties(r) + reason), lambda: packet(r, 0xD0, b""),
        lambda: packet(r, 0xE0, reason + properties(r)), lambda: packet(r, 0xE0, b""),
        lambda: packet(r, 0xF0, reason + properties(r)), lambda: packet(r, 0x20, b"\0" + reason + properties(r)),
        lambda: r.randbytes(r.randrange(1, 40)),
    ])()


class HostileBroker:
    def __init__(self, port, seed):
        self.random = random.Random(seed)
        self.served = self.version5 = 0
        self.last = b""
        self.open = True
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(50)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer, random.Random(self.random.random())), daemon=True).start()

    def serve(self, peer, r):
        self.served += 1
        peer.settimeout(1)
        try:
            connect = peer.recv(4096)
            version5 = len(connect) > 8 and connect[8 if connect[1] < 128 else 9] == 5
            self.version5 += version5
            if r.random() < 0.3 and version5:
                out = packet(r, 0x20, b"\0\0" + properties(r))
            else:
                out = b"\x20\x03\0\0\0" if version5 else b"\x20\x02\0\0"
            self.send(peer, out)
            for _ in range(r.randrange(1, 12)):
                try:
                    data = peer.recv(4096)
                    if not data:
                        return
                    identifier = struct.unpack(">H", data[2:4])[0] if len(data) >= 4 else 1
                except TimeoutError:
                    identifier = r.randrange(10)
                self.send(peer, mutated(r, identifier))
                peer.settimeout(r.choice([0.01, 0.05, 0.3]))
        except OSError:
            pass
        finally:
            peer.close()

    def send(self, peer, out):
        self.last = out
        peer.sendall(out)

    def close(self):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise SystemExit(f"FAILED (seed {SEED}): {what}")


def is_listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class House:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="hostile-")
        self.processes = []
        self.pump = []

    def start(self, name, arguments, **more):
        log = open(f"{self.directory}/{name}.log", "ab")
        process = subprocess.Popen(arguments, stdout=log, stderr=log, **more)
        self.processes.append(process)
        return process

    def log(self, name):
        with open(f"{self.directory}/{name}.log", errors="replace") as file:
            return file.read()

    def mosquitto(self, port, name):
        user = "user root\n" if os.getuid() == 0 else ""
        with open(f"{self.directory}/{name}.conf", "w") as file:
            file.write(f"{user}listener {port} 127.0.0.1\nallow_anonymous true\nupgrade_outgoing_qos true\n")
        process = self.start(name, [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", file.name])
        wait(lambda: is_listening(port), 10, "mosquitto does not start")
        return process

    def hearthd(self, home, cloud, part, protocol):
        local, remote = (f'\nprotocol = "{protocol}"' if part == side else "" for side in ("home", "cloud"))
        with open(f"{self.directory}/hearthd.toml", "w") as file:
            file.write(f'home = "home1"\n[local]\nport = {home}{local}\n[cloud]\nport = {cloud}{remote}\n[journal]\n'
                       f'path = "{self.directory}/journal.sqlite"\n[control]\nsocket = "{self.directory}/sock"\n')
        return self.start("hearthd", [f"{BIN}/hearthd", "--config", file.name])

    def listen(self, port):
        process = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-p", str(port), "-t", "+/heatpump"],
                                   stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        threading.Thread(target=lambda: self.pump.extend(iter(process.stdout.readline, "")), daemon=True).start()
        time.sleep(0.3)

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def publish(port, value):
    subprocess.run(["mosquitto_pub", "-p", str(port), "-t", "office/temperature", "-m",
                    json.dumps({"timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "value": value})],
                   capture_output=True)


def command_follows(house, port, value, status, within, alive):
    count = len(house.pump)
    begun = time.monotonic()
    while time.monotonic() - begun < within:
        publish(port, value)
        for line in house.pump[count:]:
            if f'"{status}"' in line:
                return time.monotonic() - begun
        alive()
        time.sleep(0.05)
    raise SystemExit(f"FAILED (seed {SEED}): no command {status} at {value} within {within} s\n"
                     + house.log("hearthd")[-1500:])


def run(part, protocol):
    house = House()
    try:
        home, cloud = free_port(), free_port()
        hostile_port = home if part == "home" else cloud
        hostile = HostileBroker(hostile_port, SEED)
        names = {"home": "hearthd", "cloud": "hearthd", "ingest": "hearth-cloud"}
        if part == "ingest":
            environment = dict(os.environ, MQTT_HOST="127.0.0.1", MQTT_PORT=str(cloud), HTTP_PORT="0", MQTT_PROTOCOL=protocol,
                               EVENT_LOG="journal", JOURNAL_PATH=f"{house.directory}/events.sqlite")
            victim = house.start("hearth-cloud", [f"{BIN}/hearth-cloud", "ingest"], env=environment)
        else:
            house.mosquitto(cloud if part == "home" else home, "mosquitto")
            victim = house.hearthd(home, cloud, part, protocol)

        def alive():
            if victim.poll() is not None:
                raise SystemExit(f"FAILED (seed {SEED}): {names[part]} ended with {victim.returncode} after "
                                 f"{hostile.last.hex()}\n" + house.log(names[part])[-1500:])

        wait(lambda: hostile.served > 0, 15, "nobody came to the hostile peer")
        end = time.monotonic() + SECONDS
        slowest, number = 0.0, 0
        if part == "cloud":
            house.listen(home)
        while time.monotonic() < end:
            alive()
            if part == "cloud":
                number += 1
                status = number % 2
                slowest = max(slowest, command_follows(house, home, 17 if status else 27, status, 2, alive))
            else:
                time.sleep(0.2)
        more = f", {number} commands, slowest {slowest * 1000:.0f} ms" if part == "cloud" else ""
        if part == "home":
            hostile.close()
            house.mosquitto(home, "home")
            house.listen(home)
            took = command_follows(house, home, 17, 1, 20, alive)
            more = f", the pump hears {took:.1f} s after the real broker came"
        log = len(house.log(names[part]).splitlines())
        alive()
        print(f"ok {part}, protocol {protocol}: {SECONDS:.0f} s, seed {SEED}, {hostile.served} connections ({hostile.version5} of v5){more}, "
              f"{log} log lines", flush=True)
    finally:
        house.end()


if __name__ == "__main__":
    for one in PARTS:
        for version in ("auto", "5"):
            run(one, version)
