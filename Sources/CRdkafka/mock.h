#ifndef HEARTH_CRDKAFKA_MOCK_H
#define HEARTH_CRDKAFKA_MOCK_H

#include <librdkafka/rdkafka.h>

#include <librdkafka/rdkafka_mock.h>

// rd_kafka_mock_broker_push_request_error_rtts is variadic, which Swift cannot call: one (error, delay) pair.
static inline rd_kafka_resp_err_t hearth_mock_push_delay(rd_kafka_mock_cluster_t *cluster, int32_t broker,
                                                         int16_t api_key, rd_kafka_resp_err_t error,
                                                         int milliseconds) {
    return rd_kafka_mock_broker_push_request_error_rtts(cluster, broker, api_key, 1, error, milliseconds);
}

#endif
