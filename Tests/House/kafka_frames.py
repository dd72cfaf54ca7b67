"""Kafka's frames on a socket: four bytes of length, then a request or an answer."""

import socket
import struct


def exactly(source, count):
    data = bytearray()
    while len(data) < count:
        more = source.recv(min(count - len(data), 1 << 20))
        if not more:
            raise EOFError
        data += more
    return bytes(data)


def frame(source):
    size = struct.unpack(">i", exactly(source, 4))[0]
    if not 4 <= size <= 64 << 20:
        raise EOFError  # Not Kafka: an HTTP request, or a TLS hello at a plain port.
    return exactly(source, size)


def send(target, body):
    target.sendall(struct.pack(">i", len(body)) + body)


def hang_up(*sockets):
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
