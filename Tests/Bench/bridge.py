"""The bridge that everybody writes first: paho-mqtt, one publication per message, no buffer of its own."""

import sys

import paho.mqtt.client as mqtt

home, cloud = int(sys.argv[1]), int(sys.argv[2])
up = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="direct-bridge-up", clean_session=False)
up.max_inflight_messages_set(1000)
up.reconnect_delay_set(1, 1)
up.connect_async("127.0.0.1", cloud)
up.loop_start()
down = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="direct-bridge", clean_session=False)
down.on_connect = lambda client, *_: client.subscribe("+/temperature", 1)
down.on_message = lambda _client, _data, message: up.publish("home1/" + message.topic, message.payload, 1)
down.reconnect_delay_set(1, 1)
down.connect("127.0.0.1", home)
down.loop_forever()
