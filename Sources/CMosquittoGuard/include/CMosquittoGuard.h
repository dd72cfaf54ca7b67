#ifndef HEARTH_CMOSQUITTO_GUARD_H
#define HEARTH_CMOSQUITTO_GUARD_H

// libmosquitto 2.0.11 logs a property that MQTT 5 does not know with no instance (property_mosq.c, property__read), and
// its logging asserts one (logging_mosq.c, log__printf): seven bytes from a peer would end the process. These are its calls
// that read from the peer; an assertion that fails inside one of them ends that call, and nothing else.

struct mosquitto;

// What the two calls return when an assertion failed; none of the library's codes. The instance may only be destroyed then:
// the library holds no lock where it parses properties (handle_*.c), and mosquitto_destroy takes none.
enum { HEARTH_ASSERTION_FAILED = -1000 };

int hearth_loop_read(struct mosquitto *instance);
int hearth_loop_misc(struct mosquitto *instance);

#endif
