#define _GNU_SOURCE
#include "CMosquittoGuard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

int mosquitto_loop_read(struct mosquitto *instance, int max_packets);
int mosquitto_loop_misc(struct mosquitto *instance);

// Where this thread goes on when an assertion fails; NULL outside of the calls below.
static _Thread_local sigjmp_buf *landing;

// Takes the place of the C library's function for the whole process: a symbol of the executable comes before those of its
// libraries (ld.so(8)). Nothing is skipped but the library's frames: it calls back only after a packet is parsed.
__attribute__((noreturn, visibility("default"), used)) void __assert_fail(
    const char *assertion, const char *file, unsigned int line, const char *function) {
    if (landing) siglongjmp(*landing, 1);
    fprintf(stderr, "%s: %s:%u: %s: Assertion `%s' failed.\n", program_invocation_short_name, file, line,
        function ? function : "?", assertion);
    abort();
}

int hearth_loop_read(struct mosquitto *instance) {
    sigjmp_buf place;
    if (sigsetjmp(place, 0) != 0) {
        landing = NULL;
        return HEARTH_ASSERTION_FAILED;
    }
    landing = &place;
    int result = mosquitto_loop_read(instance, 1);
    landing = NULL;
    return result;
}

int hearth_loop_misc(struct mosquitto *instance) {
    sigjmp_buf place;
    if (sigsetjmp(place, 0) != 0) {
        landing = NULL;
        return HEARTH_ASSERTION_FAILED;
    }
    landing = &place;
    int result = mosquitto_loop_misc(instance);
    landing = NULL;
    return result;
}
