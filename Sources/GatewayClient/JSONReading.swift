import Heating

/// A count per reason, in the order in which the daemon sent them.
package struct ReasonCount: Equatable, Sendable {
    package var reason: String
    package var count: Int64

    package init(reason: String, count: Int64) {
        self.reason = reason
        self.count = count
    }
}

/// An integer, also when it is written as `12.0`; nil for anything else.
package func count(_ json: JSON?) -> Int64? {
    json?.int ?? json?.double.flatMap { Int64(exactly: $0) }
}

/// `{"not_json": 3}` as pairs; members that are not counts are left out.
package func reasonCounts(_ json: JSON?) -> [ReasonCount] {
    (json?.object?.members ?? []).compactMap { member in
        count(member.value).map { ReasonCount(reason: member.key, count: $0) }
    }
}

/// "on" and "off"; nil for "unknown" and everything else.
package func pumpState(_ json: JSON?) -> Bool? {
    switch json?.string {
    case "on": true
    case "off": false
    default: nil
    }
}

extension JSON? {
    /// `make` of the object that is here; nil when there is none, or null.
    package func ifObject<Value>(_ make: (JSON) -> Value) -> Value? {
        guard let self, self.object != nil else { return nil }
        return make(self)
    }
}
