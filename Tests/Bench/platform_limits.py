"""What the ThingsBoard gateway asks its platform when it connects: the limits of its session. There are none.
https://thingsboard.io/docs/reference/gateway-mqtt-api/"""

import json
import sys

import paho.mqtt.client as mqtt

LIMITS = json.dumps({"maxPayloadSize": 65536, "maxInflightMessages": 1000,
                     "rateLimits": {"messages": "0:0,", "telemetryMessages": "0:0,", "telemetryDataPoints": "0:0,"},
                     "gatewayRateLimits": {"messages": "0:0,", "telemetryMessages": "0:0,", "telemetryDataPoints": "0:0,"}})
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="platform")
client.on_connect = lambda c, *_: c.subscribe("v1/devices/me/rpc/request/+", 1)
client.on_message = lambda c, _data, m: c.publish(m.topic.replace("request", "response"), LIMITS, 1)
client.reconnect_delay_set(1, 1)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
