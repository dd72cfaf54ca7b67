#ifndef HEARTH_CMOSQUITTO_SHIM_H
#define HEARTH_CMOSQUITTO_SHIM_H

#include <dlfcn.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// libmosquitto hands out its SSL pointer (mosquitto_ssl_get) but not what an external loop must ask about it.
// libssl is already in the process, because libmosquitto needs it; finding its functions by name keeps
// libssl-dev out of the build. NULL means "not there". RTLD_DEFAULT is a macro with a cast, unseen by Swift.
static inline void *hearth_symbol(const char *name) {
    return dlsym(RTLD_DEFAULT, name);
}

// The EFD_ flags are enumerators that Swift would import as another type than eventfd's int.
static inline int hearth_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

// prctl is variadic, which Swift cannot call. The kernel cuts the name at 15 bytes.
static inline void hearth_name_thread(const char *name) {
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

#endif
