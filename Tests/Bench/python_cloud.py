"""A cloud in Python as people first write it: four services with paho-mqtt and kafka-python, one write to InfluxDB per reading. It
stands for the original prototype, which is not in this tree; it is written to be fast for what it is: producing without waiting,
one connection to the database, no objects for points. It promises nothing. Started by cloud_costs.py, in an environment that has
the two packages.

    python_cloud.py SERVICE MQTT_PORT KAFKA_SERVERS INFLUX_PORT

SERVICE: ingest, save-raw, clean, aggregate; or direct, which writes what it reads from the broker, without a log."""

import calendar
import http.client
import json
import sys
import time

FAULT = 100.0


class Database:
    """Writes a point and waits for its answer."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def write(self, database, measurement, event, value=None):
        whole, _, fraction = event["timestamp"].partition(".")
        seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        at = seconds * 10 ** 9 + int(fraction.ljust(9, "0") or 0)
        room = f",room={event['room']}" if "room" in event else ""
        self.connection.request("POST", f"/write?db={database}",
                                f"{measurement},home={event['home']}{room} value={float(event['value'] if value is None else value)!r} {at}")
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise RuntimeError(f"InfluxDB answers {answer.status}")


def event(message):
    home, room, _ = message.topic.split("/")
    return {"home": home, "room": room, **json.loads(message.payload)}


def subscribe(port, handle):
    from paho.mqtt import client

    subscriber = client.Client(client.CallbackAPIVersion.VERSION2, protocol=client.MQTTv5)
    subscriber.on_connect = lambda *_: subscriber.subscribe("+/+/temperature", 1)
    subscriber.on_subscribe = lambda *_: print("ready", flush=True)
    subscriber.on_message = lambda _client, _data, message: handle(event(message))
    subscriber.connect("127.0.0.1", port)
    subscriber.loop_forever()


def producer(servers):
    from kafka import KafkaProducer

    return KafkaProducer(bootstrap_servers=servers, linger_ms=5, key_serializer=str.encode, value_serializer=lambda v: json.dumps(v).encode())


def events(servers, topic):
    """What all partitions of a topic have, from now on."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=servers, value_deserializer=json.loads, auto_offset_reset="earliest", enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))])
    print("ready", flush=True)
    for record in consumer:
        yield record.value


def aggregate(servers, database):
    """The mean of a home over each minute, written when the next one begins."""
    minutes = {}
    for reading in events(servers, "clean-data"):
        home, minute = reading["home"], reading["timestamp"][:16]
        open_minute, values = minutes.setdefault(home, (minute, []))
        if open_minute != minute:
            database.write("aggregate", "home_avg_temperature", {"home": home, "timestamp": open_minute + ":00"},
                           sum(values) / len(values))
            minutes[home] = (minute, values := [])
        values.append(float(reading["value"]))


def main():
    service, mqtt, servers, influx = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    database = Database(influx)
    if service == "direct":
        subscribe(mqtt, lambda reading: database.write("raw", "raw_temperature", reading))
    elif service == "ingest":
        produce = producer(servers)
        subscribe(mqtt, lambda reading: produce.send("raw_sensor_data", key=reading["home"], value=reading))
    elif service == "save-raw":
        for reading in events(servers, "raw_sensor_data"):
            database.write("raw", "raw_temperature", reading)
    elif service == "clean":
        produce = producer(servers)
        for reading in events(servers, "raw_sensor_data"):
            if float(reading["value"]) != FAULT:
                produce.send("clean-data", key=reading["home"], value=reading)
                database.write("clean", "temperature_clean", reading)
    else:
        aggregate(servers, database)


if __name__ == "__main__":
    main()
