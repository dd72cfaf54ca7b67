/* The baseline of durable ingest: a bare libmosquitto QoS 1 subscriber that throws everything away, with the window and
 * the socket options of the gateway. Exits after COUNT messages.
 *
 * usage: discard PORT FILTER COUNT
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>

static long left;

static void on_connect(struct mosquitto *m, void *filter, int rc)
{
    if (rc) { fprintf(stderr, "connect: %s\n", mosquitto_connack_string(rc)); exit(1); }
    mosquitto_subscribe(m, NULL, filter, 1);
}

static void on_subscribe(struct mosquitto *m, void *data, int mid, int count, const int *granted)
{
    printf("ready\n");
    fflush(stdout);
}

static void on_message(struct mosquitto *m, void *data, const struct mosquitto_message *message)
{
    if (--left == 0) mosquitto_disconnect(m);
}

int main(int argc, char **argv)
{
    if (argc != 4) { fprintf(stderr, "usage: discard PORT FILTER COUNT\n"); return 64; }
    left = atol(argv[3]);
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new("discard", true, argv[2]);
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_message_callback_set(m, on_message);
    if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60)) return 1;
    mosquitto_loop_forever(m, -1, 1);
    printf("done\n");
    return 0;
}
