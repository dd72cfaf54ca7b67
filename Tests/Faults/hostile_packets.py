"""MQTT packets that are wrong: unknown, doubled, truncated properties, every length. Identifiers and shapes of properties are those of
MQTT 5.0, section 2.2.2.2 (https://docs.oasis-open.org/mqtt/mqtt/v5.0/)."""

import random
import struct

from House.mqtt import encode_variable

KNOWN = [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1C, 0x1F, 0x21, 0x22,
         0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A]


# Bytes of a property's value where they are no text.
VALUES = {**{n: b"\1" for n in (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A)}, **{n: b"\0\x05" for n in (0x13, 0x21, 0x22, 0x23)},
          **{n: b"\0\0\0\x05" for n in (0x02, 0x11, 0x18, 0x27)}, 0x0B: b"\1", 0x26: b"\0\1k\0\1v"}


def text(value):
    return struct.pack(">H", len(value)) + value


def prop(r):
    """One property: mostly of the right shape, sometimes unknown or of any bytes."""
    kind = r.random()
    if kind < 0.25:
        return bytes([r.choice([0, 4, 5, 0x0A, 0x10, 0x14, 0x2B, 0x7F, r.randrange(128)])]) + r.randbytes(r.randrange(4))
    if kind < 0.32:
        return encode_variable(r.randrange(1 << 28)) + r.randbytes(r.randrange(4))
    number = r.choice(KNOWN)
    if number in (0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A):
        body = bytes([r.choice([0, 1, 2, 255])])
    elif number in (0x13, 0x21, 0x22, 0x23):
        body = struct.pack(">H", r.choice([0, 1, 5, 65535]))
    elif number in (0x02, 0x11, 0x18, 0x27):
        body = struct.pack(">I", r.choice([0, 1, 200, 1 << 31]))
    elif number == 0x0B:
        body = encode_variable(r.randrange(1 << 20))
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
    return encode_variable(length) + body


def packet(r, header, body):
    if r.random() < 0.1:
        body = body[: r.randrange(len(body) + 1)]
    if r.random() < 0.05:
        body += r.randbytes(r.randrange(8))
    length = len(body) if r.random() < 0.9 else r.choice([0, 1, 2, 3, len(body) + 5, 127, 128, 16383, 268435455])
    if r.random() < 0.03:
        header = r.randrange(256)
    return bytes([header]) + encode_variable(length) + body


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


# A packet of each kind that a client may be sent, before its properties and behind them; its identifier is 1.
FRAMES = [(0x20, b"\0\0", b""), (0x32, text(b"a/b") + b"\0\1", b"x"), (0x40, b"\0\1\0", b""), (0x50, b"\0\1\0", b""),
          (0x62, b"\0\1\0", b""), (0x70, b"\0\1\0", b""), (0x90, b"\0\1", b"\0"), (0xB0, b"\0\1", b"\0"), (0xE0, b"\0", b""),
          (0xF0, b"\x18", b"")]
UNKNOWN = [0x00, 0x04, 0x10, 0x2B, 0x7F, 0x80]


def systematic():
    """One packet after the other: each kind with each property once, doubled and cut at each byte, and with each length that is
    wrong by a little, of the properties and of the packet."""
    found = []
    for header, front, back in FRAMES:
        def whole(properties, said=None, header=header, front=front, back=back):
            body = front + encode_variable(len(properties) if said is None else said) + properties + back
            return bytes([header]) + encode_variable(len(body)) + body
        for number in KNOWN + UNKNOWN:
            one = bytes([number]) + VALUES.get(number, text(b"xy"))
            found += [whole(one), whole(one + one)]
            found += [whole(one[:end]) for end in range(1, len(one))]
        pair = b"\x26" + text(b"k") + text(b"v")
        found += [whole(pair, said=said) for said in range(len(pair) + 8)] + [whole(pair, said=said) for said in (127, 128, 16384, 268435455)]
        body = front + encode_variable(len(pair)) + pair + back
        found += [bytes([header]) + encode_variable(said) + body for said in range(len(body) + 8)]
        found += [bytes([header]) + encode_variable(len(body[:end])) + body[:end] for end in range(len(body))]
        found += [bytes([header]) + b"\xff\xff\xff\xff" + body, bytes([header]) + b"\x80\x80\x80\x80\x01" + body]
    return found


def shuffled(seed):
    """The same, in an order of its own, again and again."""
    r, packets = random.Random(seed), systematic()
    while True:
        r.shuffle(packets)
        yield from packets
