import CCurl
import Heating

/// Creates the database or bucket that a writer's settings name.
///
/// Every call blocks for at most the settings' request timeout per request and tries once; retrying is up to the
/// caller. Not for the Swift concurrency pool.
public struct InfluxAdmin: Sendable {
    /// How ``prepareTarget(retention:)`` found or left the target.
    public enum TargetState: Equatable, Sendable {
        case created
        /// It was there and was not changed. `retention` is how long it keeps points, nil for ever; compare it
        /// with what is wanted, since points older than it will be refused.
        case existed(retention: Duration?)
    }

    let settings: InfluxSettings

    public init(_ settings: InfluxSettings) { self.settings = settings }

    /// Whether the server answers (`/ping`, all APIs; 204 on 1.x and 2.x, 401 on 3 without a token). Only its own trouble
    /// (5xx) counts against it: whether it takes points ``probe()`` tells.
    /// - Throws: ``InfluxError`` with the server's or libcurl's text.
    public func ping() throws(InfluxError) {
        let answer = try request(.get, "/ping")
        guard (200...499).contains(answer.status) else { throw answer.failure }
    }

    /// Whether the server answers and would let the target's token or user write there, by a request without points: a wrong
    /// address, name or secret is known before the first point. What else it says of such a request is no matter.
    /// - Throws: ``InfluxError`` with the server's or libcurl's text.
    public func probe() throws(InfluxError) {
        try ping()
        let endpoint = try WriteEndpoint(settings)
        let body = try RequestBody(level: endpoint.compressionLevel)
        Array("\n".utf8).withUnsafeBytes { body.set($0) }
        let answer = try perform(endpoint.url, endpoint.headers, endpoint.credentials, post: body.bytes)
        switch answer.status {
        case 300...399, 401, 403, 404, 500...599: throw answer.failure
        default: return
        }
    }

    /// Makes sure that the target exists. Repeating it is harmless, also at the same time from several programs.
    /// - Parameter retention: how long a new target keeps points; nil for ever. InfluxDB's minimum is one hour.
    /// - Throws: ``InfluxError/invalidSetting(_:)``, ``InfluxError/requestFailed(_:)``.
    public func prepareTarget(retention: Duration?) throws(InfluxError) -> TargetState {
        if let retention, retention < .seconds(3600) {
            throw .invalidSetting("InfluxDB keeps points for one hour or more, not for \(retention)")
        }
        return switch settings.target {
        case .v1(let database, let policy, _, _): try prepare(database: database, policy: policy, retention)
        case .v2(let organization, let bucket, _):
            try prepare(bucket: bucket, organization: organization, retention)
        case .v3(let database, _): try prepare(database: database, retention)
        }
    }
}

// MARK: - Version 1: InfluxQL statements

extension InfluxAdmin {
    private func prepare(database: String, policy: String?, _ retention: Duration?) throws(InfluxError) -> TargetState {
        let name = try quoted(database)
        if let found = try existingRetention(database: name, policy: policy) { return found }
        let duration = retention.map { "\($0.components.seconds)s" }
        if let policy {
            try query("CREATE DATABASE \(name)")
            let policy = try quoted(policy)
            try query("CREATE RETENTION POLICY \(policy) ON \(name) DURATION \(duration ?? "INF") REPLICATION 1")
        } else {
            // The duration is the one of the default policy, autogen; without it points are kept for ever.
            try query("CREATE DATABASE \(name)" + (duration.map { " WITH DURATION \($0)" } ?? ""))
        }
        return .created
    }

    /// nil when there is no such database, or no such policy in it.
    private func existingRetention(database: String, policy: String?) throws(InfluxError) -> TargetState? {
        let result: JSON
        do {
            result = try query("SHOW RETENTION POLICIES ON \(database)")
        } catch .requestFailed(let text) where text.contains("database not found") {
            return nil
        }
        let series = result["series"]?[0]
        guard let columns = series?["columns"]?.array?.map(\.string), let rows = series?["values"]?.array,
            let name = columns.firstIndex(of: "name"), let duration = columns.firstIndex(of: "duration"),
            let isDefault = columns.firstIndex(of: "default")
        else { return nil }
        let row = rows.first { row in
            policy.map { row[name]?.string == $0 } ?? (row[isDefault]?.bool == true)
        }
        guard let row, let text = row[duration]?.string else { return nil }
        return .existed(retention: goDuration(text))
    }

    /// Runs one statement and returns its result.
    @discardableResult
    private func query(_ statement: String) throws(InfluxError) -> JSON {
        let answer = try request(
            .post(contentType: "application/x-www-form-urlencoded", body: "q=\(percentEncoded(statement))"), "/query")
        guard answer.status == 200, let result = answer.json?["results"]?[0] else { throw answer.failure }
        if let error = result["error"]?.string { throw .requestFailed("\(statement): \(error)") }
        return result
    }

    private func quoted(_ name: String) throws(InfluxError) -> String {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .invalidSetting("not a name for an InfluxDB database: \(name.debugDescription)")
        }
        var text = "\""
        for character in name {
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "\""
    }

    /// `720h0m0s`, as the server prints durations; `0s` means for ever.
    func goDuration(_ text: String) -> Duration? {
        var seconds: Int64 = 0
        var number: Int64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number &* 10 &+ Int64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "h"): (seconds, number) = (seconds &+ number &* 3600, 0)
            case UInt8(ascii: "m"): (seconds, number) = (seconds &+ number &* 60, 0)
            case UInt8(ascii: "s"): (seconds, number) = (seconds &+ number, 0)
            default: break
            }
        }
        return seconds > 0 ? .seconds(seconds) : nil
    }
}

// MARK: - Version 2: buckets

extension InfluxAdmin {
    private func prepare(bucket: String, organization: String, _ retention: Duration?) throws(InfluxError)
        -> TargetState
    {
        let organizationID = try identifier(ofOrganization: organization)
        if let found = try existingRetention(bucket: bucket, organizationID: organizationID) { return found }
        var rules: [JSON] = []
        if let retention { rules.append(["type": "expire", "everySeconds": JSON(retention.components.seconds)]) }
        let content: JSON = [
            "orgID": .string(organizationID), "name": .string(bucket), "retentionRules": .array(rules),
        ]
        let answer = try request(.post(contentType: "application/json", body: content.serialized()), "/api/v2/buckets")
        if answer.status == 201 { return .created }
        // 422 "bucket with name … already exists": somebody else created it since we looked.
        if answer.status == 422, let found = try existingRetention(bucket: bucket, organizationID: organizationID) {
            return found
        }
        throw answer.failure
    }

    private func identifier(ofOrganization name: String) throws(InfluxError) -> String {
        let answer = try request(.get, "/api/v2/orgs", query: [("org", name)])
        guard answer.status == 200 else { throw answer.failure }
        let match = answer.json?["orgs"]?.array?.first { $0["name"]?.string == name }
        guard let id = match?["id"]?.string else {
            throw .requestFailed("the organisation \"\(name)\" does not exist, or the token may not see it")
        }
        return id
    }

    private func existingRetention(bucket: String, organizationID: String) throws(InfluxError) -> TargetState? {
        let answer = try request(.get, "/api/v2/buckets", query: [("name", bucket), ("orgID", organizationID)])
        // Some versions answer 404 instead of an empty list.
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw answer.failure }
        guard let found = answer.json?["buckets"]?.array?.first(where: { $0["name"]?.string == bucket }) else {
            return nil
        }
        let rules = found["retentionRules"]?.array ?? []
        let seconds = rules.first { $0["type"]?.string == "expire" }?["everySeconds"]?.int ?? 0
        return .existed(retention: seconds > 0 ? .seconds(seconds) : nil)
    }
}

// MARK: - Version 2: tokens

extension InfluxAdmin {
    /// Makes a token that may write into these buckets and nothing else: neither read nor delete what is there.
    ///
    /// The server chooses it and shows it this once; each call makes another. The settings' own token must be allowed to
    /// make tokens (`/api/v2/authorizations`).
    /// - Throws: ``InfluxError``; `invalidSetting` for other versions than 2.
    public func makeWriteToken(for buckets: [String], description: String) throws(InfluxError) -> String {
        guard case .v2(let organization, _, _) = settings.target else {
            throw .invalidSetting("tokens for single buckets are made for INFLUX_API=v2 only")
        }
        let organizationID = try identifier(ofOrganization: organization)
        var permissions: [JSON] = []
        for bucket in buckets {
            let answer = try request(.get, "/api/v2/buckets", query: [("name", bucket), ("orgID", organizationID)])
            let found = answer.json?["buckets"]?.array?.first { $0["name"]?.string == bucket }
            guard answer.status == 200, let id = found?["id"]?.string else { throw answer.failure }
            permissions.append([
                "action": "write",
                "resource": ["type": "buckets", "id": .string(id), "orgID": .string(organizationID)],
            ])
        }
        let content: JSON = [
            "orgID": .string(organizationID), "description": .string(description), "permissions": .array(permissions),
        ]
        let answer = try request(
            .post(contentType: "application/json", body: content.serialized()), "/api/v2/authorizations")
        guard answer.status == 201, let token = answer.json?["token"]?.string else { throw answer.failure }
        return token
    }
}

// MARK: - Version 3: databases

extension InfluxAdmin {
    /// https://docs.influxdata.com/influxdb3/core/admin/databases/create/. How long an existing one keeps points, it does
    /// not tell.
    private func prepare(database: String, _ retention: Duration?) throws(InfluxError) -> TargetState {
        let path = "/api/v3/configure/database"
        let known = try request(.get, path, query: [("format", "json")])
        guard known.status == 200 else { throw known.failure }
        let names = known.json?.array?.compactMap { $0["iox::database"]?.string } ?? []
        if names.contains(where: { $0.utf8.elementsEqual(database.utf8) }) { return .existed(retention: nil) }
        var members: [(key: String, value: JSON)] = [("db", .string(database))]
        if let retention { members.append(("retention_period", .string("\(retention.components.seconds / 3600)h"))) }
        let content = JSON.object(.init(members)).serialized()
        let answer = try request(.post(contentType: "application/json", body: content), path)
        if (200...299).contains(answer.status) { return .created }
        // Somebody else created it since we looked.
        if answer.status == 409 { return .existed(retention: nil) }
        throw answer.failure
    }
}

// MARK: - One request

extension InfluxAdmin {
    private enum Method {
        case get
        case post(contentType: String, body: String)
    }

    private struct Answer {
        var status: Int
        var body: [UInt8]
        var headers: [String: String]

        var json: JSON? { try? JSON.parse(body) }

        var failure: InfluxError { .requestFailed(ServerMessage.text(status: status, body: body, headers: headers)) }
    }

    private func request(
        _ method: Method, _ path: String, query: [(name: String, value: String)] = []
    ) throws(InfluxError) -> Answer {
        var headers: [String] = []
        var credentials: (String, String)?
        switch settings.target {
        case .v1(_, _, let username, let password): credentials = username.map { ($0, password ?? "") }
        case .v2(_, _, let token): if let header = try tokenHeader(token) { headers.append(header) }
        case .v3(_, let token): if let header = try tokenHeader(token, scheme: "Bearer") { headers.append(header) }
        }
        if case .post(let contentType, _) = method { headers.append("Content-Type: \(contentType)") }
        let url = try BaseURL(settings.url).appending(path, query: query)
        switch method {
        case .get: return try perform(url, headers, credentials, post: nil)
        case .post(_, let body):
            let bytes = Array(body.utf8)
            let result = bytes.withUnsafeBytes { content in
                Result { () throws(InfluxError) in try perform(url, headers, credentials, post: content) }
            }
            return try result.get()
        }
    }

    /// - Parameter content: not empty; nil to get.
    private func perform(
        _ url: String, _ headers: [String], _ credentials: (String, String)?, post content: UnsafeRawBufferPointer?
    ) throws(InfluxError) -> Answer {
        let handle = try CurlHandle(headers: headers, credentials: credentials, settings: settings)
        if let content {
            handle.preparePost(url, content: content, timeout: settings.requestTimeout)
        } else {
            handle.prepareGet(url, timeout: settings.requestTimeout)
        }
        let result = curl_easy_perform(handle.pointer)
        guard result == CURLE_OK else { throw .requestFailed("\(url): \(handle.errorMessage(result))") }
        return Answer(status: handle.status, body: handle.body, headers: handle.headers)
    }
}
