#!/usr/bin/env python3
"""A gate before a Kafka broker that speaks neither TLS nor SASL: terminates TLS with OpenSSL, asks for client certificates, and
carries out Kafka's SASL handshake for PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER by itself. Nothing passes before.

    kafka_gate.py --upstream 127.0.0.1:PORT[,…] [--mechanism PLAIN --user ann --password-file FILE | --token-file FILE]
                  [--cert FILE --key FILE [--client-ca FILE]] [--deny TOPIC]

Listens on 127.0.0.2 with the ports of the brokers behind it, and prints `ready 127.0.0.2:PORT,…`. The names of brokers in
answers become its own: both addresses have nine characters, so no length changes. It ends with its input.

https://kafka.apache.org/protocol#sasl_handshake; RFC 4616 (PLAIN), RFC 5802 (SCRAM), RFC 7628 (OAUTHBEARER)."""

import argparse
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import sys
import threading

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.kafka_frames import frame, hang_up, send

PRODUCE, METADATA, FIND_COORDINATOR, SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 0, 3, 10, 17, 18, 36
UNSUPPORTED_SASL_MECHANISM, SASL_AUTHENTICATION_FAILED = 33, 58
OWN, THEIRS = b"\0\x09127.0.0.2", b"\0\x09127.0.0.1"


class Refused(Exception):
    pass


class Scram:
    """The server's side of RFC 5802, for one exchange."""

    def __init__(self, algorithm, user, password):
        self.algorithm, self.user, self.password = algorithm, user, password
        self.salt, self.iterations, self.first = os.urandom(16), 4096, None

    def answer(self, message):
        """The next message; `self.done` once the client has proved itself."""
        text = message.decode()
        if self.first is None:
            self.bare = text.split(",", 2)[2]
            fields = dict(part.split("=", 1) for part in self.bare.split(","))
            if fields["n"].replace("=2C", ",").replace("=3D", "=") != self.user:
                raise Refused("unknown user")
            self.nonce = fields["r"] + base64.b64encode(os.urandom(12)).decode()
            self.first = f"r={self.nonce},s={base64.b64encode(self.salt).decode()},i={self.iterations}"
            return self.first.encode(), False
        without_proof, proof = text.rsplit(",p=", 1)
        # As Kafka compares it (ScramSaslServer.java): librdkafka before 2.2 sends its own nonce twice.
        if not dict(part.split("=", 1) for part in without_proof.split(","))["r"].endswith(self.nonce):
            raise Refused("wrong nonce")
        salted = hashlib.pbkdf2_hmac(self.algorithm, self.password, self.salt, self.iterations)

        def mac(key, data):
            return hmac.new(key, data, self.algorithm).digest()

        client_key = mac(salted, b"Client Key")
        signed = ",".join([self.bare, self.first, without_proof]).encode()
        signature = mac(hashlib.new(self.algorithm, client_key).digest(), signed)
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(client_key, signature)):
            raise Refused("wrong password")
        return b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), signed)), True


class Gate:
    def __init__(self, options):
        self.options = options
        self.tls = None
        if options.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.cert, options.key)
            if options.client_ca:
                self.tls.load_verify_locations(options.client_ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED
        self.own = []
        for server in options.upstream.split(","):
            port = int(server.rsplit(":", 1)[1])
            listener = socket.create_server(("127.0.0.2", port))
            self.own.append(f"127.0.0.2:{port}")
            threading.Thread(target=self.accept, args=(listener, port), daemon=True).start()

    def accept(self, listener, port):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self.serve, args=(client, port), daemon=True).start()

    def serve(self, client, port):
        broker = None
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.settimeout(10)
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            if self.options.mechanism:
                self.authenticate(client, port)
            client.settimeout(None)
            broker = socket.create_connection(("127.0.0.1", port), 5)
            broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            broker.settimeout(None)
            self.pass_on(client, broker)
        except (OSError, EOFError, struct.error, ValueError, KeyError, IndexError) as error:
            if self.options.verbose:
                print(f"gate: {error!r}", file=sys.stderr, flush=True)
        for s in (client, broker):
            if s:
                s.close()

    # MARK: Who is it

    def authenticate(self, client, port):
        mechanism, exchange = None, None
        while True:
            request = frame(client)
            key, version, number = struct.unpack_from(">hhi", request)
            head = struct.pack(">i", number)
            body = request[8 + 2 + max(0, struct.unpack_from(">h", request, 8)[0]):]
            if key == API_VERSIONS:
                send(client, self.versions(request, version, port))
            elif key == SASL_HANDSHAKE:
                mechanism = body[2:].decode()
                known = mechanism == self.options.mechanism
                send(client, head + struct.pack(">hi", 0 if known else UNSUPPORTED_SASL_MECHANISM, 1)
                     + struct.pack(">h", len(self.options.mechanism)) + self.options.mechanism.encode())
                if not known:
                    raise EOFError
            elif key == SASL_AUTHENTICATE and mechanism:
                try:
                    answer, is_done, exchange = self.check(mechanism, body[4:], exchange)
                except (Refused, ValueError, KeyError, IndexError) as error:
                    text = f"Authentication failed: {error}".encode()
                    send(client, head + struct.pack(">hh", SASL_AUTHENTICATION_FAILED, len(text)) + text + struct.pack(">i", 0))
                    raise EOFError from error
                rest = struct.pack(">q", 0) if version >= 1 else b""
                send(client, head + struct.pack(">hhi", 0, -1, len(answer)) + answer + rest)
                if is_done:
                    return
            else:
                raise EOFError  # As Kafka does with anything else before.

    def versions(self, request, version, port):
        """What the broker can, and SASL: the client decides by it what it will do afterwards."""
        with socket.create_connection(("127.0.0.1", port), 5) as broker:
            send(broker, request)
            answer = frame(broker)
        return self.with_sasl(answer) if version <= 2 and answer[4:6] == b"\0\0" else answer

    def check(self, mechanism, message, exchange):
        if mechanism == "PLAIN":
            _, user, password = message.split(b"\0")
            if (user.decode(), password) != (self.options.user, self.secret()):
                raise Refused("Invalid username or password")
            return b"", True, None
        if mechanism == "OAUTHBEARER":
            if f"auth=Bearer {self.secret().decode()}\x01".encode() not in message:
                raise Refused("invalid token")
            return b"", True, None
        exchange = exchange or Scram({"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[mechanism], self.options.user,
                                     self.secret())
        answer, is_done = exchange.answer(message)
        return answer, is_done, exchange

    def secret(self):
        with open(self.options.password_file, "rb") as file:
            return file.read().strip()

    # MARK: Passing on

    def pass_on(self, client, broker):
        asked = {}
        threading.Thread(target=self.down, args=(client, broker, asked), daemon=True).start()
        while True:
            request = frame(client)
            key, version, number = struct.unpack_from(">hhi", request)
            asked[number] = (key, version)
            send(broker, request)

    def down(self, client, broker, asked):
        try:
            while True:
                answer = frame(broker)
                key, version = asked.pop(struct.unpack_from(">i", answer)[0], (None, None)) \
                    if self.is_answered(asked, answer) else (None, None)
                if key in (METADATA, FIND_COORDINATOR):
                    answer = answer.replace(THEIRS, OWN)
                elif key == API_VERSIONS and self.options.mechanism and version <= 2 and answer[4:6] == b"\0\0":
                    answer = self.with_sasl(answer)
                send(client, answer)
        except (OSError, EOFError):
            pass
        hang_up(client, broker)

    @staticmethod
    def is_answered(asked, answer):
        return struct.unpack_from(">i", answer)[0] in asked

    @staticmethod
    def with_sasl(answer):
        count = struct.unpack_from(">i", answer, 6)[0]
        end = 10 + 6 * count
        more = struct.pack(">hhh", SASL_HANDSHAKE, 0, 1) + struct.pack(">hhh", SASL_AUTHENTICATE, 0, 1)
        return answer[:6] + struct.pack(">i", count + 2) + answer[10:end] + more + answer[end:]


def main():
    parser = argparse.ArgumentParser()
    for name in ("upstream", "mechanism", "user", "password-file", "cert", "key", "client-ca"):
        parser.add_argument(f"--{name}", required=name == "upstream")
    parser.add_argument("--verbose", action="store_true")
    gate = Gate(parser.parse_args())
    print("ready " + ",".join(gate.own), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
