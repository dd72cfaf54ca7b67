"""The part of MQTT that passes a proxy: packet boundaries, publications and their acknowledgements.

Written from the OASIS standards (3.1.1 and 5.0, https://docs.oasis-open.org/mqtt/), without any of the product's code.
"""

from dataclasses import dataclass, field

CONNECT, PUBLISH, PUBACK = 1, 3, 4


@dataclass
class Publication:
    topic: str
    payload: bytes
    qos: int
    packet_id: int
    duplicate: bool
    retained: bool
    user: dict = field(default_factory=dict)
    connection: int = 0


def variable(data, offset):
    """A variable byte integer (5.0, section 1.5.5) and where it ends; (None, offset) when bytes are missing."""
    value = shift = 0
    while True:
        if offset >= len(data):
            return None, offset
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7


def encode_variable(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def split(buffer):
    """Takes the whole packets from the front of a bytearray."""
    packets = []
    while len(buffer) >= 2:
        length, start = variable(buffer, 1)
        if length is None or len(buffer) < start + length:
            break
        packets.append(bytes(buffer[:start + length]))
        del buffer[:start + length]
    return packets


def kind(packet):
    return packet[0] >> 4


def version(connect):
    """The protocol level of a CONNECT packet."""
    _, start = variable(connect, 1)
    return connect[start + 6] & 0x7F  # the highest bit marks a bridge


def publication(packet, level, connection=0):
    _, at = variable(packet, 1)
    size = int.from_bytes(packet[at:at + 2], "big")
    topic = packet[at + 2:at + 2 + size].decode()
    at += 2 + size
    qos = packet[0] >> 1 & 3
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(packet[at:at + 2], "big")
        at += 2
    user = {}
    if level >= 5:
        length, at = variable(packet, at)
        user = user_properties(packet[at:at + length])
        at += length
    return Publication(topic, packet[at:], qos, packet_id, bool(packet[0] & 8), bool(packet[0] & 1), user, connection)


# Bytes of a property's value by identifier (5.0, section 2.2.2.2): a number, or a kind of its own.
PROPERTY_SIZES = {1: 1, 2: 4, 35: 2}


def user_properties(data):
    user, at = {}, 0
    while at < len(data):
        identifier = data[at]
        at += 1
        if identifier == 38:
            parts = []
            for _ in range(2):
                size = int.from_bytes(data[at:at + 2], "big")
                parts.append(data[at + 2:at + 2 + size].decode())
                at += 2 + size
            user[parts[0]] = parts[1]
        elif identifier == 11:
            _, at = variable(data, at)
        elif identifier in (3, 8, 9):
            at += 2 + int.from_bytes(data[at:at + 2], "big")
        else:
            at += PROPERTY_SIZES[identifier]
    return user


def puback(packet):
    """Packet id and whether it accepts: no reason, or one below 0x80."""
    _, at = variable(packet, 1)
    reason = packet[at + 2] if len(packet) > at + 2 else 0
    return int.from_bytes(packet[at:at + 2], "big"), reason < 0x80


def publish(topic, payload, level, qos=0, packet_id=0):
    """A PUBLISH packet without properties."""
    body = len(topic).to_bytes(2, "big") + topic.encode()
    if qos:
        body += packet_id.to_bytes(2, "big")
    if level >= 5:
        body += b"\0"
    body += payload
    return bytes([PUBLISH << 4 | qos << 1]) + encode_variable(len(body)) + body


def field(data):
    """Binary data with its length (section 1.5.6)."""
    return len(data).to_bytes(2, "big") + data


def connect(name, user=None, password=None, keep_alive=0):
    """A CONNECT of 3.1.1 with a clean session."""
    login = field(user) + field(password) if user else b""
    body = field(b"MQTT") + bytes([4, 0xC2 if user else 2]) + keep_alive.to_bytes(2, "big") + field(name) + login
    return bytes([CONNECT << 4]) + encode_variable(len(body)) + body
