"""A wire for Kafka's protocol: passes frames on, loses answers on command, and makes up for two things in which Tansu is no
Kafka. https://kafka.apache.org/protocol has the layouts."""

import socket
import struct
import threading

from House.kafka_frames import frame, hang_up, send

# https://kafka.apache.org/protocol#protocol_api_keys
PRODUCE, FETCH, METADATA, OFFSET_COMMIT, OFFSET_FETCH, JOIN_GROUP, HEARTBEAT, LEAVE_GROUP = 0, 1, 3, 8, 9, 11, 12, 13
SYNC_GROUP, API_VERSIONS = 14, 18


class Fields:
    """The fields of a frame, one after the other."""

    def __init__(self, frame, offset=0):
        self.frame, self.offset = frame, offset

    def number(self, layout):
        value = struct.unpack_from(">" + layout, self.frame, self.offset)[0]
        self.offset += struct.calcsize(layout)
        return value

    def raw(self, count):
        self.offset += count
        return bytes(self.frame[self.offset - count:self.offset])

    def text(self):
        """Two bytes of length; -1 is null."""
        size = self.number("h")
        return None if size < 0 else self.raw(size).decode()

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def compact_text(self):
        size = self.varint()
        return None if size == 0 else self.raw(size - 1).decode()


class CommitNotes:
    """What commits say beside their offsets. Kafka keeps it; Tansu takes it and answers null."""

    def __init__(self):
        self.notes = {}

    def take(self, request, answer):
        """Of an OffsetCommit, version 7, as far as it was answered without an error."""
        f, done = Fields(answer, 8), set()  # after the throttle time
        for _ in range(f.number("i")):
            topic = f.text()
            for _ in range(f.number("i")):
                partition, error = f.number("i"), f.number("h")
                if error == 0:
                    done.add((topic, partition))
        f = Fields(request, 8)
        f.text()  # the client
        group = f.text()
        f.number("i"), f.text(), f.text()  # generation, member, instance
        for _ in range(f.number("i")):
            topic = f.text()
            for _ in range(f.number("i")):
                partition, offset, _ = f.number("i"), f.number("q"), f.number("i")
                note = f.text()
                if (topic, partition) in done:
                    self.notes[group, topic, partition] = (offset, note)

    def restored(self, request, answer):
        """An answer to OffsetFetch, version 7, with the notes of the offsets in it."""
        f = Fields(request, 8)
        f.text(), f.varint()  # the client, tags
        group = f.compact_text()
        f = Fields(answer, 4)
        result = bytearray(answer[:4] + f.raw(1) + f.raw(4))  # tags, throttle time
        topics = f.varint()
        result += self.size(topics)
        for _ in range(topics - 1):
            topic = f.compact_text()
            result += self.compact(topic)
            partitions = f.varint()
            result += self.size(partitions)
            for _ in range(partitions - 1):
                partition, offset, epoch = f.number("i"), f.number("q"), f.number("i")
                note = f.compact_text()
                at, kept = self.notes.get((group, topic, partition), (None, None))
                result += struct.pack(">iqi", partition, offset, epoch) + self.compact(kept if at == offset else note)
                result += f.raw(2) + f.raw(1)  # error, tags
            result += f.raw(1)
        return result + answer[f.offset:]

    @staticmethod
    def size(number):
        assert number < 128
        return bytes([number])

    @staticmethod
    def compact(text):
        return b"\0" if text is None else CommitNotes.size(len(text) + 1) + text.encode()


class Wire:
    """Passes Kafka's frames on, and loses the answers it is told to, after the broker has done what was asked.

    - told: called with key and request of each before it is passed on, and with its answer too before that is."""

    def __init__(self, upstream, keeps_notes=True, told=lambda key, request, answer=None: None):
        self.upstream, self.keeps_notes, self.losing, self.lost, self.told = upstream, keeps_notes, set(), {}, told
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.notes = CommitNotes()
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def lose(self, key):
        """The next answer to this kind of request, and the connection with it."""
        with self.lock:
            self.losing.add(key)

    def is_lost(self, key):
        with self.lock:
            if key not in self.losing:
                return False
            self.losing.remove(key)
            self.lost[key] = self.lost.get(key, 0) + 1
            return True

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self.upstream), 5)
            except OSError:
                client.close()
                continue
            broker.settimeout(None)
            asked = {}
            for body in (self.up, self.down):
                threading.Thread(target=self.pump, args=(body, client, broker, asked), daemon=True).start()

    @staticmethod
    def pump(body, client, broker, asked):
        try:
            body(client, broker, asked)
        except (OSError, EOFError):
            pass
        hang_up(client, broker)

    def up(self, client, broker, asked):
        while True:
            request = frame(client)
            key, version, number = struct.unpack(">hhi", request[:8])
            asked[number] = (key, version, request)
            self.told(key, request)
            send(broker, request)

    def down(self, client, broker, asked):
        while True:
            answer = frame(broker)
            key, version, request = asked.pop(struct.unpack(">i", answer[:4])[0])
            self.told(key, request, answer)
            if key == OFFSET_COMMIT:
                self.notes.take(request, answer)
            if self.is_lost(key):
                return
            if key == API_VERSIONS and version >= 3:
                answer = self.without_tags(answer)
            elif key == OFFSET_FETCH and self.keeps_notes:
                answer = self.notes.restored(request, answer)
            send(client, answer)

    @staticmethod
    def without_tags(answer):
        """Tansu sends tagged fields that hold only their defaults, as Kafka never does. librdkafka 2.0.2 counts the length of
        a tag one too short (rd_kafka_buf_skip_tags), and does not survive these."""
        entries = answer[6] - 1  # a compact array, shorter than 127
        return answer[:7 + 7 * entries + 4] + b"\0"
