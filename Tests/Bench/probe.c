/* Measures reading -> command from outside: publishes COUNT readings that alternate below and above the limits and
 * prints the round trip of each, in microseconds. The next reading leaves PAUSE milliseconds after a command, or at once.
 *
 * usage: probe PORT COUNT [PAUSE]
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long left, number, pause_ms;
static struct timespec sent;

static double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - sent.tv_sec) * 1e6 + (now.tv_nsec - sent.tv_nsec) / 1e3;
}

static void next(struct mosquitto *m)
{
    char payload[128];
    int length = snprintf(payload, sizeof payload, "{\"timestamp\": \"2026-11-23T10:00:00.%06ld\", \"value\": %s}",
        number, number % 2 ? "27.5" : "18.5");
    number++;
    clock_gettime(CLOCK_MONOTONIC, &sent);
    mosquitto_publish(m, NULL, "probe/temperature", length, payload, 0, false);
}

static void on_connect(struct mosquitto *m, void *data, int rc)
{
    mosquitto_subscribe(m, NULL, "probe/heatpump", 0);
}

static void on_subscribe(struct mosquitto *m, void *data, int mid, int count, const int *granted)
{
    next(m);
}

static void on_message(struct mosquitto *m, void *data, const struct mosquitto_message *message)
{
    printf("%.1f\n", microseconds());
    if (--left == 0) { mosquitto_disconnect(m); return; }
    if (pause_ms > 0) usleep(pause_ms * 1000);
    next(m);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) { fprintf(stderr, "usage: probe PORT COUNT [PAUSE]\n"); return 64; }
    left = atol(argv[2]);
    pause_ms = argc > 3 ? atol(argv[3]) : 0;
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new("probe", true, NULL);
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_callback_set(m, on_connect);
    mosquitto_subscribe_callback_set(m, on_subscribe);
    mosquitto_message_callback_set(m, on_message);
    if (mosquitto_connect(m, "127.0.0.1", atoi(argv[1]), 60)) return 1;
    return mosquitto_loop_forever(m, -1, 1);
}
