import ArgumentParser

/// What an ingestor needs beside its broker and its log.
struct IngestOptions: ParsableArguments {
    @Option(
        "MQTT_SHARE_GROUP", help: "Name of the ingestors' shared subscription, the same for all of them",
        note: "default: made from their password or key, hearth-ingest without one")
    var shareGroup: Setting<String>

    @Option(
        "MQTT_CLIENT_ID_FILE", help: "File that keeps the client id, made with a random one",
        note: "default with the journal engine: JOURNAL_PATH.client-id")
    var clientIDFile: Setting<String>

    @Option(
        "MQTT_CLIENT_NAME",
        help:
            "Where there is no such file: the readable part of the client id, one per replica; the password or key makes the rest",
        note: "default: the host's name")
    var clientName: Setting<String>

    @Option(
        "MQTT_ON_STOP", .word("leave or stay"), default: "leave",
        help:
            "leave: a graceful stop leaves the group, so that nothing waits at the broker for this replica; stay: it keeps its place, so that the broker queues for it"
    )
    var onStop: Setting<OnStop>

    @Option(
        "INGEST_STATE_FILE",
        help:
            "Remembers across a kill which message was decoded, so that one that kills is passed after the second time",
        note: "default with the journal engine: JOURNAL_PATH.ingest")
    var stateFile: Setting<String>

    /// What a graceful stop does with the place in the shared subscription.
    enum OnStop: String { case leave, stay }
}
