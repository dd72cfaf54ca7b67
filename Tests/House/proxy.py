"""A TCP proxy that reads the MQTT packets passing by and disturbs them on command. It is the oracle for "acknowledged":
what counts is which PUBACKs left the gateway, not what the gateway says."""

import selectors
import socket
import struct
import threading
import time

from House import mqtt

UP, DOWN = "up", "down"  # from the client, from the broker


class Direction:
    def __init__(self, source, target):
        self.source, self.target = source, target
        self.parser, self.queue, self.waiting = bytearray(), [], bytearray()
        self.ended = self.shut = False
        self.unacknowledged = {}
        self.allowance, self.pumped = 0.0, time.monotonic()
        self.forwarded = 0


class Tunnel:
    """One connection through the proxy; used by the proxy's thread."""

    def __init__(self, number, client, broker):
        self.number, self.level, self.closed = number, 4, False
        self.client, self.broker = client, broker
        self.up, self.down = Direction(client, broker), Direction(broker, client)
        for s in (client, broker):
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reset(self):
        self.closed = True
        for s in (self.client, self.broker):
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            s.close()


class Proxy(threading.Thread):
    """Modes: "pass"; "hole" (nothing passes, nothing is closed); "refuse" (new connections are closed at once).

    `rate`: bytes/s in each direction; `delay`: seconds each way; `slice`: bytes per send; `budget`: {UP: n, DOWN: n}
    after which a connection is reset; `rewrite(direction, packet, level)` returns the packets that go on instead;
    `opaque`: no packets are looked for, since it is TLS.
    """

    def __init__(self, upstream, port=0, host="127.0.0.1"):
        super().__init__(daemon=True)
        self.upstream, self.opaque = upstream, False
        self.listener = socket.create_server((host, port), backlog=64,
                                             family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.mode, self.rate, self.delay, self.slice, self.budget, self.rewrite = "pass", None, 0.0, None, {}, None
        self.lock = threading.Lock()
        self.delivered, self.acknowledged, self.published, self.confirmed = [], [], [], []
        self.bytes = {UP: 0, DOWN: 0}
        self.connections = self.resets = 0
        self.cut_below = 0
        self.stopped = False
        self.start()

    def cut(self):
        """Resets all open connections; what was on its way is lost."""
        self.cut_below = self.connections

    def close(self):
        self.stopped = True
        self.join(5)

    def count(self, name):
        with self.lock:
            return len(getattr(self, name))

    def snapshot(self, name):
        with self.lock:
            return list(getattr(self, name))

    # --- the proxy's thread ---

    def run(self):
        tunnels = []
        while not self.stopped:
            for tunnel in tunnels:
                if tunnel.number < self.cut_below and not tunnel.closed:
                    tunnel.reset()
            tunnels = [t for t in tunnels if not t.closed]
            self.wait(tunnels)
            self.accept(tunnels)
            for tunnel in tunnels:
                if not tunnel.closed:
                    self.pump(tunnel)
        for tunnel in tunnels:
            if not tunnel.closed:
                tunnel.reset()
        self.listener.close()

    def wait(self, tunnels):
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            for tunnel in tunnels:
                for incoming, outgoing, s in ((tunnel.up, tunnel.down, tunnel.client),
                                              (tunnel.down, tunnel.up, tunnel.broker)):
                    events = 0
                    if not incoming.ended and len(incoming.waiting) < 1 << 20 and self.mode != "hole":
                        events |= selectors.EVENT_READ
                    if outgoing.waiting and self.mode == "pass" and not self.rate and not self.slice:
                        events |= selectors.EVENT_WRITE
                    if events:
                        selector.register(s, events)
            # What is held back here has its time or its rate; anything else tells by itself.
            held = any(direction.queue or direction.waiting for tunnel in tunnels for direction in (tunnel.up, tunnel.down))
            selector.select(0.002 if held and self.mode == "pass" else 0.02)

    def accept(self, tunnels):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.mode == "refuse":
                client.close()
                continue
            try:
                broker = socket.create_connection(("127.0.0.1", self.upstream), 2)
            except OSError:
                client.close()
                continue
            tunnels.append(Tunnel(self.connections, client, broker))
            self.connections += 1

    def pump(self, tunnel):
        for name, direction in ((UP, tunnel.up), (DOWN, tunnel.down)):
            self.receive(tunnel, name, direction)
        if self.mode == "hole":
            return
        for name, direction in ((UP, tunnel.up), (DOWN, tunnel.down)):
            if not tunnel.closed:
                self.forward(tunnel, name, direction)
        if tunnel.up.shut and tunnel.down.shut and not tunnel.closed:
            tunnel.closed = True
            tunnel.client.close()
            tunnel.broker.close()

    def receive(self, tunnel, name, direction):
        if direction.ended or len(direction.waiting) > 1 << 20:
            return
        try:
            data = direction.source.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            direction.ended = True
            return
        if self.opaque:
            direction.queue.append((time.monotonic() + self.delay, data))
            return
        direction.parser += data
        for packet in mqtt.split(direction.parser):
            self.observe(tunnel, name, packet)
            out = self.rewrite(name, packet, tunnel.level) if self.rewrite else [packet]
            due = time.monotonic() + self.delay
            direction.queue += [(due, p) for p in out]

    def observe(self, tunnel, name, packet):
        kind = mqtt.kind(packet)
        if kind == mqtt.CONNECT and name == UP:
            tunnel.level = mqtt.version(packet)
        elif kind == mqtt.PUBLISH and packet[0] & 6:
            message = mqtt.publication(packet, tunnel.level, tunnel.number)
            side = tunnel.up if name == UP else tunnel.down
            side.unacknowledged[message.packet_id] = message
            with self.lock:
                (self.published if name == UP else self.delivered).append(message)
        elif kind == mqtt.PUBACK:
            identifier, accepts = mqtt.puback(packet)
            side = tunnel.down if name == UP else tunnel.up
            message = side.unacknowledged.pop(identifier, None)
            if message and accepts:
                with self.lock:
                    (self.acknowledged if name == UP else self.confirmed).append(message)

    def forward(self, tunnel, name, direction):
        now = time.monotonic()
        while direction.queue and direction.queue[0][0] <= now:
            direction.waiting += direction.queue.pop(0)[1]
        size = len(direction.waiting)
        if self.rate:
            direction.allowance = min(self.rate / 5, direction.allowance + self.rate * (now - direction.pumped))
            size = min(size, int(direction.allowance))
        direction.pumped = now
        if self.slice:
            size = min(size, self.slice)
        budget = self.budget.get(name)
        if budget is not None:
            size = min(size, budget - direction.forwarded)
        if size > 0:
            try:
                sent = direction.target.send(direction.waiting[:size])
            except BlockingIOError:
                return
            except OSError:
                tunnel.reset()
                return
            del direction.waiting[:sent]
            direction.allowance -= sent
            direction.forwarded += sent
            self.bytes[name] += sent
        if budget is not None and direction.forwarded >= budget:
            tunnel.reset()
            self.resets += 1
        elif direction.ended and not direction.waiting and not direction.queue and not direction.shut:
            direction.shut = True
            try:
                direction.target.shutdown(socket.SHUT_WR)
            except OSError:
                tunnel.reset()
