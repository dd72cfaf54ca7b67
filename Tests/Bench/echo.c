/* The baseline of reading -> command: answers every ROOM/temperature with one ROOM/heatpump, deciding nothing.
 *
 * usage: echo PORT
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_connect(struct mosquitto *m, void *data, int rc)
{
    mosquitto_subscribe(m, NULL, "+/temperature", 0);
}

static void on_subscribe(struct mosquitto *m, void *data, int mid, int count, const int *granted)
{
    printf("ready\n");
    fflush(stdout);
}

static void on_message(struct mosquitto *m, void *data, const struct mosquitto_message *message)
{
    char topic[256];
    const char *slash = strchr(message->topic, '/');
    snprintf(topic, sizeof topic, "%.*s/heatpump", (int)(slash - message->topic), message->topic);
    mosquitto_publish(m, NULL, topic, 15, "{\"status\": \"1\"}", 1, false);
}

int main(int argc, char **argv)
{
    if (argc != 2) { fprintf(stderr, "usage: echo PORT\n"); return 64; }
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new("echo", true, NULL);
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_message_callback_set(m, on_message);
    if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60)) return 1;
    return mosquitto_loop_forever(m, -1, 1);
}
