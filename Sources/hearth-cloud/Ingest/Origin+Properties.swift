import Heating
import MQTT

// How a record's origin comes in: as properties of a message, or with a record of a frame.
extension Origin {
    private static let textLimit = 512

    /// What is confirmed once the log has this; nil for a plain producer.
    var mark: IngestBatch.Mark? {
        guard let epoch, let sequence else { return nil }
        return .init(home: home, epoch: ExactString(epoch), sequence: sequence)
    }

    /// From the user properties of a single message; a plain producer has none.
    init(home: HomeID, properties: [UserProperty]) {
        self.init(home: home)
        for property in properties where property.value.utf8.count <= Self.textLimit {
            switch property.name {
            case "seq": sequence = Int64(property.value).flatMap { $0 > 0 ? $0 : nil }
            case "epoch" where property.value.utf8.count <= Self.nameLimit: epoch = property.value
            case "zone" where property.value.utf8.count <= Self.nameLimit: zone = property.value
            case "fold": marks.isSecondPass = property.value == "1"
            case "nth": marks.nth = Self.nth(property.value)
            case "timestamp": timestamp = property.value
            case "reason": reason = property.value
            case "source": source = property.value
            case "read": asRead = AsRead(property.value)
            case "fault": isFault = property.value == "1"
            default: break
            }
        }
    }

    /// As a single message carries it, for one that takes its way again.
    var properties: [(name: String, value: String)] {
        var properties: [(name: String, value: String)] = []
        if let sequence { properties.append(("seq", "\(sequence)")) }
        if let epoch { properties.append(("epoch", epoch)) }
        if let zone { properties.append(("zone", zone)) }
        if marks.isSecondPass { properties.append(("fold", "1")) }
        if marks.nth > 0 { properties.append(("nth", "\(marks.nth)")) }
        if let timestamp { properties.append(("timestamp", timestamp)) }
        if let reason { properties.append(("reason", reason)) }
        if let source { properties.append(("source", source)) }
        if let asRead { properties.append(("read", asRead.description)) }
        if isFault { properties.append(("fault", "1")) }
        return properties
    }

    /// From a record of a frame.
    init(home: HomeID, epoch: String, record: Frame.Record) {
        self.init(home: home)
        self.epoch = epoch
        sequence = record.sequence
        guard !record.attributes.isEmpty, let json = try? JSON.parse(record.attributes) else { return }
        timestamp = Self.text(json["timestamp"], atMost: Self.textLimit)
        reason = Self.text(json["reason"], atMost: Self.textLimit)
        zone = Self.text(json["zone"], atMost: Self.nameLimit)
        source = Self.text(json["source"], atMost: Self.textLimit)
        asRead = Self.text(json["read"], atMost: Self.textLimit).flatMap { AsRead($0) }
        isFault = json["fault"]?.string == "1"
        marks.isSecondPass = json["fold"]?.string == "1"
        marks.nth = Self.nth(json["nth"]?.string)
    }

    /// 0, as if it were not there, for what no gateway writes.
    private static func nth(_ text: String?) -> Int {
        text.flatMap { Int($0) }.flatMap { (1...TimeMarks.nthLimit).contains($0) ? $0 : nil } ?? 0
    }

    private static func text(_ value: JSON?, atMost limit: Int) -> String? {
        value?.string.flatMap { $0.utf8.count <= limit ? $0 : nil }
    }
}
