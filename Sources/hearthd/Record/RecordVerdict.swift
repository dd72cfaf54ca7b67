import Heating
import Journal
import MQTT

/// Whether a message of the home broker is kept, and as what; by its bytes and the rules alone.
enum RecordVerdict: Equatable {
    /// What is to be stored, each of its measures, and why another one of them is no reading.
    case keep([Entry], setAside: String? = nil)
    /// Nothing is wrong with it, and it is not kept.
    case passOver
    case reject(String)

    /// A record as it is to be stored, but for what is decided about its time later.
    struct Entry: Equatable {
        var record: Journal.Record
        /// nil for a command.
        var time: DeviceTime?
    }

    /// Of the black box's topics. A pump command's `timestamp` and `reason` user properties travel with it; a reading's
    /// attributes are given later.
    ///
    /// - Parameters:
    ///   - hasZone: the sensors' times without a zone are in another one than UTC.
    ///   - arrival: the wall clock's time.
    init(on message: Message, hasZone: Bool, arrival: Timestamp) {
        switch HomeTopic(message.topic) {
        case .temperature:
            do throws(PayloadError) {
                let reading = try Reading(payload: message.payload)
                if let why = Self.objection(to: reading.time, hasZone: hasZone) { throw why }
                self = .keep([Entry(message, time: reading.time, arrival: arrival)])
            } catch {
                self = .reject(error.rawValue)
            }
        case .heatpump:
            guard (try? HeatPumpCommand(payload: message.payload)) != nil else {
                self = .reject("bad_command")
                return
            }
            let attributes = RecordAttributes(userProperties: message.userProperties).bytes
            self = .keep([Entry(message, attributes: attributes, time: nil, arrival: arrival)])
        case nil:
            self = .reject("unknown_topic")
        }
    }

    /// The same with sensors that are not the black box. A message may hold several measures, each with its own rule.
    init(on message: Message, by rules: DeviceRules, hasZone: Bool, arrival: Timestamp) {
        let isContract = Self.isContract(message.topic, rules)
        let outcomes =
            isContract
            ? [] : rules.read(topic: message.topic, payload: message.payload, isRetained: false, arrival: arrival)
        guard !outcomes.isEmpty else {
            // What only shares a rule's filter is another device's.
            let isOthers = !isContract && rules.hears(message.topic)
            if isOthers { self = .passOver } else { self.init(on: message, hasZone: hasZone, arrival: arrival) }
            return
        }
        var kept: [Entry] = []
        var reason: String?
        for outcome in outcomes {
            switch outcome {
            case .passedOver: break
            case .rejected(let rejection): reason = reason ?? rejection.reason.rawValue
            case .reading(let reading):
                if let why = Self.objection(to: reading, hasZone: hasZone) {
                    reason = reason ?? why
                } else {
                    let record = Journal.Record(
                        reading, packetID: message.packetID, receivedAt: arrival.nanoseconds)
                    kept.append(Entry(record: record, time: reading.time))
                }
            }
        }
        self = kept.isEmpty ? reason.map { .reject($0) } ?? .passOver : .keep(kept, setAside: reason)
    }

    private static func isContract(_ topic: String, _ rules: DeviceRules) -> Bool {
        if rules.isBlackBox(topic) { return true }
        return if case .heatpump? = HomeTopic(topic) { true } else { false }
    }

    private static func objection(to reading: DeviceReading, hasZone: Bool) -> String? {
        // It would be a temperature to everybody who does not know the device. Of another measure the mark travels with it.
        if reading.isFault, reading.measure == .temperature { return "fault_value" }
        return objection(to: reading.time, hasZone: hasZone)?.rawValue
    }

    /// The cloud, which knows the sensors' zone, must be able to read the time too.
    private static func objection(to time: DeviceTime, hasZone: Bool) -> PayloadError? {
        time.isNaive && hasZone && !time.timestamp.isInRangeInEveryZone ? .badTimestamp : nil
    }
}

extension RecordVerdict.Entry {
    /// A message as it is.
    init(_ message: Message, attributes: [UInt8] = [], time: DeviceTime?, arrival: Timestamp) {
        record = Journal.Record(
            topic: message.topic, payload: message.payload, attributes: attributes, packetID: message.packetID,
            receivedAt: arrival.nanoseconds)
        self.time = time
    }
}
