import Heating

/// Why hearthd does not do what a person asks for. The page has each of them in all its languages
/// (`Sources/HomePage/Page/said.*.js`). Calls that no person makes, such as one without a room, are answered in English.
enum RefusalSentence: String, CaseIterable {
    // Rooms.
    case noRoom = "no room {room}; hearth status lists the rooms"
    case noRoomButNear = "no room {room}; did you mean {near}?"
    case noRoomYet = "no room has sent a temperature yet"
    case disabled = "thermostat.enabled is false for {room}"
    case roomInFile =
        "{room} is in the configuration: take {line} out of the file and reload (systemctl reload hearthd) first"
    case tooMany = "too many requests at once; try again"

    // What is asked of a heat pump.
    case pump =
        "pump must be on, off, auto, a preset (frost, eco, comfort) or a temperature between {low} and {high} {unit}"
    case notFahrenheit = "{value} {unit} is {celsius} °C, colder than any room is held; for °C write {line}"

    // Settings.
    case noSetting = "there is no setting '{name}'; there are {names}"
    case noSettingButNear = "there is no setting '{name}'; did you mean {near}?; there are {names}"
    case inRoom = "{room}: {problem}"
    case mode = "mode must be auto or off"
    case name = "name must be a text of at most {count} characters"
    case order = "order must be a whole number from 0 to 9999"
    case number = "{setting} must be a number"
    case weekIsNoList = "schedule must be a list of at most {count} entries"
    case weekEntry = "an entry of the schedule needs days, time and preset"
    case week = "schedule: {problem}"
    case tooManyRooms = "too many rooms have settings"
    case diskSilent = "the disk does not answer; it is written when it does"
}

extension Sentence {
    static func refusal(_ sentence: RefusalSentence, _ values: KeyValuePairs<String, Value> = [:]) -> Sentence {
        Sentence(sentence, values)
    }
}
