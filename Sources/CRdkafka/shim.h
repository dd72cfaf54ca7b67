// What Swift needs to call librdkafka 2.0.2 (Debian 12) and later.
#ifndef HEARTH_CRDKAFKA_SHIM_H
#define HEARTH_CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>

// rd_kafka_producev is variadic, which Swift cannot call, and it is the only call that takes headers and says by its
// return value, not by thread-local state, what went wrong. Key and value are copied. A NULL key or value is null on
// the wire: a record without key, a tombstone. `headers` (may be NULL) belong to librdkafka if and only if the result
// is RD_KAFKA_RESP_ERR_NO_ERROR.
static inline rd_kafka_resp_err_t hearth_kafka_produce(rd_kafka_t *client, const char *topic, const void *key,
                                                       size_t key_size, const void *value, size_t value_size,
                                                       rd_kafka_headers_t *headers, void *opaque) {
    if (headers == NULL)
        return rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                 RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
                                 RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    return rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY((void *)key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
                             RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

#endif
