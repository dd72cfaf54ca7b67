import ArgumentParser
import Foundation
import Heating
import MQTT

/// What an ingestor needs beside its broker and its log.
struct IngestOptions: ParsableArguments {
    @Option(
        name: .customLong("mqtt-share-group"),
        help:
            "Name of the ingestors' shared subscription, the same for all of them (MQTT_SHARE_GROUP; default: made from their password or key, hearth-ingest without one)."
    )
    var shareGroupFlag: String?
    var shareGroup: String? { shareGroupFlag ?? Variable.text("MQTT_SHARE_GROUP") }

    @Option(
        name: .customLong("mqtt-client-id-file"),
        help:
            "File that keeps the client id, made with a random one (MQTT_CLIENT_ID_FILE; default with the journal engine: JOURNAL_PATH.client-id)."
    )
    var clientIDFileFlag: String?
    var clientIDFile: String? { clientIDFileFlag ?? Variable.text("MQTT_CLIENT_ID_FILE") }

    @Option(
        name: .customLong("mqtt-client-name"),
        help:
            "Where there is no such file: the readable part of the client id, one per replica; the password or key makes the rest (MQTT_CLIENT_NAME; default: the host's name)."
    )
    var clientNameFlag: String?
    var clientName: String? { clientNameFlag ?? Variable.text("MQTT_CLIENT_NAME") }

    @Option(
        name: .customLong("mqtt-on-stop"),
        help:
            "leave: a graceful stop leaves the group, so that nothing waits at the broker for this replica; stay: it keeps its place, so that the broker queues for it (MQTT_ON_STOP)."
    )
    var onStop = Variable.text("MQTT_ON_STOP", "leave")

    @Option(
        name: .customLong("ingest-state-file"),
        help:
            "Remembers across a kill which message was decoded, so that one that kills is passed after the second time (INGEST_STATE_FILE; default with the journal engine: JOURNAL_PATH.ingest)."
    )
    var stateFileFlag: String?
    var stateFile: String? { stateFileFlag ?? Variable.text("INGEST_STATE_FILE") }

    var leavesWhenStopping: Bool {
        get throws {
            switch onStop {
            case "leave": return true
            case "stay": return false
            default: throw SettingError("MQTT_ON_STOP must be leave or stay, not \"\(onStop)\"")
            }
        }
    }
}
