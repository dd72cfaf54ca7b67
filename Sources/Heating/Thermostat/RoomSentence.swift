/// What is said of a room and its pump: why it runs or rests, what is waited for, what it does although it should not. The page has
/// each of them in all its languages (`Sources/HomePage/Page/said.*.js`).
public enum RoomSentence: String, CaseIterable, Sendable {
    case noReadingYet = "no reading yet"
    case below = "{value} is below {limit}"
    case justBelow = "just below {limit}"
    case above = "{value} is above {limit}"
    case justAbove = "just above {limit}"
    case between = "{value} is between {low} and {high}"
    /// A reason, and whose limit that is.
    case program = "{reason} ({program})"
    case staysOn = "{reason}: stays on"
    case staysOff = "{reason}: stays off"
    case undecided = "{reason}: no decision yet"
    case frost = "frost: {reason}"
    case tooWarm = "too warm: {reason}, no pump runs"
    case wasTooWarm = "too warm: was above {limit}, no pump runs before {value}"
    case switchedOn = "switched on {who} for {time}"
    case switchedOff = "switched off {who} for {time}"
    case isOff = "the room is switched off"
    case cloudOn = "the cloud decides: on"
    case cloudOff = "the cloud decides: off"
    case silent = "no reading for {time}: {action}"
    case wasOn = "on before the restart, no reading since"
    case wasOff = "off before the restart, no reading since"
    case endedOn = "what was switched by hand has ended, no reading yet: on"
    case endedOff = "what was switched by hand has ended, no reading yet: off"
    case disabled = "thermostat disabled"

    // What a blind room's pump does.
    case pumpIsOff = "the pump is off"
    case pumpStays = "the pump stays as it was"
    case pumpIsOn = "the pump is on"

    // Who asked.
    case atTerminal = "at a terminal"
    case fromPage = "from the page"
    case byCloud = "by the cloud"
    case byHomeAssistant = "by Home Assistant"
    case atPump = "at the heat pump itself"

    // Whose limits count.
    case presetFrost = "frost"
    case presetEco = "eco"
    case presetComfort = "comfort"
    case setFor = "{target} set {who} for {time}"
    case setUntilChanged = "{target} set {who} until it is changed"

    // A minimum time.
    case startsIn = "starts in {time}: the pump rests at least {minimum}"
    case stopsIn = "stops in {time}: the pump runs at least {minimum}"

    // The room does not do what its pump was told.
    case fell = "fell from {from} to {to} in {time} although the pump was told to run"
    case rose = "rose from {from} to {to} in {time} although the pump was told to stop"
    case doesNotFollow = "was {from} and is {to} after {time}, though its device was told {target}"
}
