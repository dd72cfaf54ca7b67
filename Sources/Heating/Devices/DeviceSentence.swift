/// What is said of devices that are not the black box: what a pump or a valve does not do, and what to do about a message that is no
/// reading. The page has each of them in all its languages.
public enum DeviceSentence: String, CaseIterable, Sendable {
    // What a pump or a valve does.
    case offline = "is offline"
    case bridgeOffline = "cannot be reached: its gateway is offline"
    case notStarted = "was told to run and has not confirmed it"
    case notStopped = "was told to stop and has not confirmed it"
    case takesNothing = "says that it runs but takes {watts} W"
    case takesPower = "says that it stopped but takes {watts} W"

    // What to do about a message.
    case noRule = "no rule is about this topic"
    case retained = "kept by the broker from earlier: write {line} for a sensor that sleeps"
    case unlisted = "not listed: write {line}"
    case noNumber = "{place} is no number"
    case noNumberWrite = "{place} is no number: write {line}"
    case noNumberOthers = "{place} is no number: write {line}, or another of {others}"
    case notANumber = "{place} is not a number"
    case notANumberWrite = "{place} is not a number: write {line}"
    case notANumberOthers = "{place} is not a number: write {line}, or another of {others}"
    case mendOrWrite = "{place} is not a number: mend the device, or write another {line}"
    case payload = "the payload"
    case inPayload = "{path} in the payload"
    case hasNoReading = "the device has no reading: look at its sensor, cable and battery"
    case notJSONContract = "not JSON: write a [[sensors]] table for this device, {line} for a number alone"
    case notJSON = "not JSON: write {line} if the whole payload is the number"
    case noUnit = "its unit is not told: write {celsius} or {fahrenheit}"
    case tooCold = "colder than can be: add the value to discard if it means a fault, or write its unit"
    case badRoom = "the name cannot be a room: list it in rooms, or write {line}"
    case noName = "nothing names the sensor: write {line}, or room_at with the path of its name"
    case twice = "a member appears twice: mend the device"
    case notUTF8 = "not UTF-8: mend the device"
    case tooLong = "longer than {count} bytes: no sensor's"
    case otherForm = "not the black box's form: write a [[sensors]] table with {line}"
    case ownTable =
        "its temperature is elsewhere: before this table write a [[sensors]] table with {line}; to leave it out, write {other} in this one"
}
