import CRdkafka
import Glibc
import Machine
import Synchronization

/// A client's configuration until the client is made; owns the `rd_kafka_conf_t`.
final class KafkaConfiguration {
    private(set) var pointer: OpaquePointer?

    init(_ properties: [(name: String, value: String)]) throws(EventLogError) {
        pointer = rd_kafka_conf_new()
        for (name, value) in properties { try set(name, value) }
    }

    deinit {
        if let pointer { rd_kafka_conf_destroy(pointer) }
    }

    private func set(_ name: String, _ value: String) throws(EventLogError) {
        var text = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(pointer, name, value, &text, text.count) != RD_KAFKA_CONF_OK else { return }
        // librdkafka quotes the value, which may be a secret.
        let isSecret = ["password", "pem", "secret"].contains { name.contains($0) }
        let reason = isSecret ? "librdkafka does not take its value" : string(text)
        throw EventLogError(.settings, "Kafka property \(name): \(reason). Correct it and start again.")
    }

    /// Makes the client; librdkafka owns the configuration from then on.
    func makeClient(_ type: rd_kafka_type_t) throws(EventLogError) -> KafkaHandle {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, pointer, &text, text.count) else {
            throw EventLogError(
                .settings, "making a Kafka client: \(string(text)). Check the Kafka settings and the limits on threads."
            )
        }
        pointer = nil
        // Nobody polls a producer, and a consumer only while it has something to read: tokens come on a thread of librdkafka.
        if let error = rd_kafka_sasl_background_callbacks_enable(client) { rd_kafka_error_destroy(error) }
        return KafkaHandle(pointer: client)
    }
}

/// A `rd_kafka_t`.
// @unchecked Sendable: "librdkafka is completely thread-safe (unless otherwise noted in the API documentation)",
// INTRODUCTION.md, Threads and callbacks.
struct KafkaHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// The error that ended this client, if one did.
    var fatalError: (code: rd_kafka_resp_err_t, text: String)? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(pointer, &text, text.count)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : (code, string(text))
    }

    /// What the partition's leader says is its next offset (`RD_KAFKA_OFFSET_END`) or its first one
    /// (`RD_KAFKA_OFFSET_BEGINNING`); nil without an answer in time.
    ///
    /// Not by rd_kafka_query_watermark_offsets: 2.0.2 does not apply its timeout to the answer and waits for as long as
    /// the broker is away. Kafka takes the two constants in the place of a time.
    func offset(_ which: Int32, of position: TopicPartition, within milliseconds: Int32) -> Int64? {
        offsets(which, of: [position], within: milliseconds)?[position]
    }

    /// The same for several partitions; without those whose leader did not answer.
    func offsets(
        _ which: Int32, of positions: [TopicPartition], within milliseconds: Int32
    ) -> [TopicPartition: Int64]? {
        let wanted = positions.map { ($0, CommitMark(next: Int64(which))) }
        return PartitionList(offsets: Dictionary(wanted) { $1 }).withPointer { list in
            guard rd_kafka_offsets_for_times(pointer, list, milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR else {
                return nil
            }
            return list.elements { $0.err == RD_KAFKA_RESP_ERR_NO_ERROR && $0.offset >= 0 ? $0.offset : nil }
        }
    }

    /// The partitions of a topic, or the error that stands for it; with no topic only whether a broker answers.
    func partitions(
        of topic: String?, within milliseconds: Int32
    ) -> (partitions: [Int32], error: rd_kafka_resp_err_t) {
        let local = topic.flatMap { rd_kafka_topic_new(pointer, $0, nil) }
        defer { if let local { rd_kafka_topic_destroy(local) } }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let result = rd_kafka_metadata(pointer, 0, local, &metadata, milliseconds)
        guard result == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { return ([], result) }
        defer { rd_kafka_metadata_destroy(metadata) }
        guard local != nil else { return ([], result) }
        guard metadata.pointee.topic_cnt > 0 else { return ([], RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) }
        let found = metadata.pointee.topics[0]
        let partitions = UnsafeBufferPointer(start: found.partitions, count: Int(found.partition_cnt))
        return (partitions.map(\.id), found.err)
    }
}

/// What the callbacks of one client need. librdkafka calls them until the client is destroyed, so whoever destroys it
/// keeps this alive until then.
final class CallbackContext: Sendable {
    let report: NoticeHandler
    let board: LogStatusBoard
    let complaints: BrokerComplaints
    /// Of OAUTHBEARER.
    let tokenFile: String?
    /// Of PLAIN and SCRAM.
    private let login: (user: String, file: String)?
    let rebalances = Mutex(Rebalances())

    init(_ peer: KafkaPeer) {
        report = peer.report
        board = peer.board
        complaints = peer.complaints
        tokenFile = peer.settings.access.tokenFile
        login = peer.settings.access.login
    }

    /// A broker refused who we are: somebody may have put another password into its file. It is used for the next connection.
    func renewLogin(of client: OpaquePointer?) {
        guard let client, let login, let password = AccessToken.read(login.file) else { return }
        if let error = rd_kafka_sasl_set_credentials(client, login.user, password) { rd_kafka_error_destroy(error) }
    }

    /// Something librdkafka says, which may be as often as it asks a broker: told once a minute.
    func complain(_ text: String, as prefix: String, _ level: EventLogNotice.Level) {
        guard complaints.isNews(text, now: Clock.monotonicNanoseconds) else { return }
        report(EventLogNotice(level, "\(prefix): \(text)"))
    }

    var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func of(_ opaque: UnsafeMutableRawPointer?) -> CallbackContext? {
        opaque.map { Unmanaged<CallbackContext>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// What every client of ours has: its context, the log, tokens.
func install(_ context: CallbackContext, on configuration: OpaquePointer?) {
    rd_kafka_conf_set_opaque(configuration, context.opaque)
    rd_kafka_conf_set_log_cb(configuration, logCallback)
    guard context.tokenFile != nil else { return }
    rd_kafka_conf_enable_sasl_queue(configuration, 1)
    AccessToken.install(on: configuration)
}

/// Runs on any thread of librdkafka.
private func logCallback(
    client: OpaquePointer?, level: Int32, facility: UnsafePointer<CChar>?, text: UnsafePointer<CChar>?
) {
    guard let client, let text, let context = CallbackContext.of(rd_kafka_opaque(client)) else { return }
    // One list of properties is for producers and consumers; and it calls retry.backoff.ms a producer's, and honours it
    // for consumers.
    if facility.map({ strcmp($0, "CONFWARN") }) == 0,
        strstr(text, "retry.backoff.ms") != nil || strstr(text, "will be ignored by this") != nil
    {
        return
    }
    // syslog(3) levels: 3 is an error, 4 a warning. Errors of connections are retried, hence warnings here.
    let noticeLevel: EventLogNotice.Level = level <= 2 ? .error : level <= 4 ? .warning : level <= 6 ? .info : .debug
    let tag = facility.map { String(cString: $0) } ?? ""
    let message = String(cString: text)
    // FAIL: a connection ended or did not come about, `[thrd:…]: broker: why`.
    guard tag == "FAIL" else { return context.complain(message, as: "kafka \(tag)", noticeLevel) }
    // Brokers close idle connections; that is no news.
    if level >= 6, message.contains("Disconnected (after") { return }
    let complaint =
        message.hasPrefix("[thrd:") ? message.split(separator: "]: ", maxSplits: 1).last.map(String.init) : nil
    context.complaints.add(complaint ?? message, now: Clock.monotonicNanoseconds)
    context.complain(complaint ?? message, as: "kafka", BrokerComplaints.cause(message) == nil ? noticeLevel : .warning)
}

func describe(_ code: rd_kafka_resp_err_t) -> String {
    rd_kafka_err2str(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
}

func string(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
}
