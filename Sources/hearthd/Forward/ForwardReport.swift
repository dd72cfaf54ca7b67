import Heating

/// What the child said last of itself, as the parent shows it: ``ForwardSnapshot/json``, read.
struct ForwardReport: Sendable {
    /// Nothing said yet.
    init() {}

    var links: [LinkView] = []
    var uplink = JSON.null
    var journal = JSON.null
    var disk = JSON.null
    var backlog: Int64 = 0
    var counters = JSON.null
    var findings: [Finding] = []
    var checks: [Check] = []
    /// How long the slowest of its lanes had not turned.
    var standstill: Duration?
    /// When it was heard.
    var at: Instant?

    init(_ json: JSON, at: Instant) {
        links = (json["links"]?.array ?? []).map(LinkView.init)
        uplink = json["uplink"] ?? .null
        journal = json["journal"] ?? .null
        disk = json["disk"] ?? .null
        backlog = json["backlog"]?.int ?? 0
        counters = json["counters"] ?? .null
        findings = (json["findings"]?.array ?? []).compactMap(Finding.init)
        checks = (json["checks"]?.array ?? []).compactMap(Check.init)
        standstill = json["stillSeconds"]?.double.map { .milliseconds(Int64($0 * 1000)) }
        self.at = at
    }
}
