#ifndef HEARTH_CMOSQUITTO_SHIM_H
#define HEARTH_CMOSQUITTO_SHIM_H

#include <dlfcn.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdbool.h>
#include <stddef.h>

// libmosquitto hands out its SSL pointer (mosquitto_ssl_get) but not what an external loop must ask about it.
// libssl is already in the process, because libmosquitto needs it; finding its functions by name keeps
// libssl-dev out of the build. NULL means "not there". RTLD_DEFAULT is a macro with a cast, unseen by Swift.
static inline void *hearth_symbol(const char *name) {
    return dlsym(RTLD_DEFAULT, name);
}

#endif
