import Heating

/// What findings say: first what is wrong, then what to do. The page has each of them in all its languages
/// (`Sources/HomePage/Page/said.*.js`); a test says which one lacks a new one.
enum FindingSentence: String, CaseIterable {
    // Rooms and their sensors.
    case noReading = "no reading from {room} for {time}: {action}"
    case noReadingDiscarded = "no reading from {room} for {time}: {action}; its readings are discarded ({why})"
    case noReadingSetAside = "no reading from {room} for {time}: {action}; its messages are set aside ({why})"
    case noReadingRepeated = "no reading from {room} for {time}: {action}; it only repeats old readings"
    case checkSensor = "Check the sensor's power and its connection to the home broker."
    case neverHeard =
        "No sensor has been heard for {room} since the start: check its power, and that {room} is the room in its topic or its [[sensors]] table. What is there: {command}."
    case speaksOtherwise = "The sensor speaks, but not so that it can be understood: see readings-set-aside."
    case didYouMean = "Did you mean {room}? That room speaks and is not in the file: write {line}."
    case checkRepeater =
        "Something between the sensor and the home broker repeats what it once said: check the sensor itself."
    case brokenSensor =
        "That is what a broken or unconnected sensor says. If it is a true temperature here, change discard, min_plausible or max_plausible in [thermostat]."
    case allDiscarded = "all readings from {room} are discarded as faults of the sensor ({value})"
    case noTemperature = "messages on {topic} hold no temperature ({reason}, {times}, last {time} ago): {sample}"
    case once = "once"
    case times = "{count} times"
    case timesOrMore = "{count} times or more"
    case publishLine = "Let the sensor publish {line} to {topic}; what came: hearth journal"
    case roomProblem = "{room} {problem}"
    case checkPump = "Check the heat pump and its connection to the home broker; an open window can do this too."
    case checkPlainPump =
        "No [[pumps]] table names {room}, so its pump is told on {topic}: check that the heat pump listens there, or write a table. What can be switched: {command}. An open window can do this too."
    case cycles = "the heat pump of {room} was started {times} within an hour"
    case setMinima =
        "Set min_on and min_off (5m or more), or move on_below and off_above further apart; two sensors on one topic do this too."
    case othersOn = "{topic} is also commanded by others (last: on, {time} ago)"
    case othersOff = "{topic} is also commanded by others (last: off, {time} ago)"
    case onlyHearth =
        "Let only hearthd publish there: find the other one with {command}, or use hearth override in its place."
    case tooManyRooms =
        "{count} rooms that are not in the file have sent temperatures, the newest is {room}: each further one takes the place of one that was heard less"
    case findNames =
        "Find what makes up names: {command}. Write the real rooms into the file ([rooms.NAME]), then they keep their places."

    // Devices.
    case ruleSilent = "no live message of a known sensor has come on {topic} since the start"
    case mendTopic = "Look at what is sent: {command}. Then mend topic in [[sensors]] number {count}."
    case ruleNeverRead = "no message on {topic} has been a reading, {kind}: last on {last} ({reason}): {sample}"
    case ruleSetAside = "{count} messages were set aside, {kind}: last on {last} ({reason}): {sample}"
    case tryIt = "{advice}; try it: {command}"
    case sensorFault = "a sensor of {room} says {value}, which means a fault ({topic})"
    case checkCable = "Check the sensor and its cable. If it is a true temperature here, write {line} to its rule."
    case disagree = "the sensors of {room} disagree: {sensors}"
    case lookWhere =
        "Look at where it hangs: by a window, in the sun, above a radiator. Or raise disagreement in the room."
    case pumpProblem = "the heat pump {name} {problem}"
    case valveProblem = "the valve of {name} {problem}"
    case setpointProblem = "the device {name} was told another temperature and has not confirmed it"
    case lookAtDevice =
        "Look at the device: is it on, does it heat, and does its own sensor hang where it measures the room?"
    case waitsForValve = "the heat pump {name} waits: no valve of its rooms is known to be open"
    case lookAtValves =
        "Look at the valves and their power; if one is open and says otherwise, mend its state in [rooms.NAME] valve."
    case checkPower = "Check its power and its network; it says so on {topic}"
    case doesItAnswer = "See whether it answers: {command}. If the topics are others, mend {line}."
    case roomsValve = "the room's valve"
    case lookAtRunning = "Look at the device itself; or mend running_above."

    // The home broker.
    case noHomeBroker = "no connection to the home broker at {peer} ({links})"
    case checkMosquitto = "Check it: {command}"
    case anotherGateway = "another gateway uses the name {home} at {peer}: they throw each other out"
    case ownHome = "Stop the other one, or give each box a home of its own in hearthd.toml: {line}"
    case noReadings = "the home broker does not give Hearth the sensors' readings ({topic}; {why})"
    case noCommands = "the home broker does not take commands to the heat pump of {room} ({topic}; {why})"
    case noState =
        "overrides do not survive a restart: the home broker does not give Hearth its own state ({topic}; {why})"
    case noOthers = "nobody would notice another controller of the heat pumps: {topic} is refused ({why})"
    case noHomeAssistantCommands = "Home Assistant cannot command: {topic} is refused ({why})"
    case stateHidden =
        "the rooms' state is not shown at the home broker and does not survive a restart ({topic}; {why})"
    case notTakenBack = "what Home Assistant was told before is not taken back: {topic} is refused ({why})"
    case notAnnounced = "Home Assistant is not told about this house ({topic}; {why})"
    case refusedBecause = "refused: {reason}"
    case closesAtIt = "the broker closes the connection at it"
    case homeACL = "In the home broker's ACL file, below the user that hearthd has there: {line}"
    case homeACLOrRetain =
        "In the home broker's ACL file, below the user that hearthd has there: {line}. If that is there: retain_available true in its configuration"
    case homeLimits =
        "the home broker takes {limits}: heating works; overrides and the rooms' state may not survive a restart (hearth/#)"
    case list = "{first}, {rest}"
    case noRetained = "no retained messages"
    case noQoS1 = "no QoS 1"
    case noWill = "no last will of ours"
    case homeConfiguration = "In the home broker's configuration: {lines}"
    case mosquittoConfiguration = "In the home broker's configuration (Mosquitto): {lines}"
    case commandsUnseen =
        "the home broker gives no command on {topic} back: it does not deliver them to the heat pump, or does not let Hearth read them"
    case commandsUnseenMore =
        "the home broker gives no command on {topic} and {count} more back: it does not deliver them to the heat pump, or does not let Hearth read them"
    case readCommands =
        "In the home broker's ACL file, below the user that hearthd has there: {line}. Whether the pump hears them: {command}"
    case atQoS0 = "the home broker delivers readings at QoS 0: what arrives while hearthd is away is lost"
    case atQoS0On = "the home broker delivers readings at QoS 0 ({topic}): what arrives while hearthd is away is lost"
    case readingsNotRecorded = "readings are not recorded: the home broker does not give them ({topic}; {why})"
    case commandsNotRecorded =
        "commands to heat pumps are not recorded: the home broker does not give them ({topic}; {why})"

    // Settings.
    case reloadRefused = "the last reload kept the old settings: {problem}"
    case mendFile = "Mend the file, then: {command}"
    case doesNotFit = "what was set for {room} does not fit the configuration and does not count: {problem}"
    case houseDoesNotFit = "what was set for the house does not fit the configuration and does not count: {problem}"
    case setAnew = "Set it anew (hearth settings), or change the configuration."
    case notUnderstood = "what was set by hand could not be read and does not count: {problem}"
    case movedAside = "The house heats by its configuration. What was set before is in {file}."
    case checkOwner = "The house heats by its configuration. Check the file and its owner, then: {command}"
    case notKept = "what was set counts, but a restart would not know it: {problem}"
    case checkDisk = "It is tried again by itself. Check the disk, and that hearthd may write to {file}."

    // Recording.
    case notStarted = "nothing is recorded: the recording side could not be started"
    case raiseTasks = "Heating goes on. There was no thread left to start it: raise TasksMax=, then: {command}"
    case needsRestart = "{key} needs a restart: the file says {file}, and hearthd runs with {running}"
    case restartIt = "Restart it: {command}"
    case ended = "nothing is recorded: the recording side {ending}; next start in {time}"
    case endedAndRuns = "the recording side {ending}, {time} ago, and runs again"
    case noAnswer = "the recording side has not answered for {time}"
    case startsItself =
        "Heating goes on. It is started again by itself; readings wait at the home broker: {command}"
    case ifItComesBack = "Heating went on and nothing acknowledged is lost. If it comes back: {command}"
    case noJournal = "nothing is recorded: {problem}"
    case waitsEvery2Seconds = "Heating goes on. Readings wait at the home broker; it is tried again every 2 seconds."
    case notAcknowledged = "readings are not acknowledged: {problem}"
    case freeOrCheckDisk = "Readings wait at the home broker. Free disk space or check the disk: {command}"
    case journalSays = "the journal says: {problem}"
    case details = "Details: {command}"
    case whoTouches =
        "Find out what touches {file}: while hearthd runs the file is its own. Restart hearthd when you know, and this message goes."
    case dropped = "{count} readings were dropped because the journal was full"
    case raiseSize = "Raise journal.max_size, or restore the cloud link sooner."
    case quarantined = "{count} damaged rows were taken out of the journal"
    case replaceDisk = "The disk or card returns wrong data: replace it soon."
    case diskLow = "the journal's disk is nearly full ({size} free)"
    case freeSpace = "Free some space; the journal has a reserve, then readings wait at the home broker."
    case recordAway = "nothing is recorded: {peer}: {problem}"
    case checkLocal =
        "Readings wait at the home broker if it keeps them for an absent client. Check [local], and: {command}"

    // The cloud.
    case expired = "{file} has expired"
    case expiresTomorrow = "{file} expires in 1 day"
    case expires = "{file} expires in {count} days"
    case renew = "Renew it, then: {command}"
    case cloudRefuses = "the cloud broker does not take all records: {problem}"
    case letSubscribe =
        "Readings wait in the journal. Let something subscribe to {readings} and {commands} there, and check this home's ACL."
    case unconfirmed =
        "the cloud broker takes readings, but for {minutes} min nothing was confirmed: {count} wait here"
    case checkInOrder =
        "Check in this order: whether hearth-cloud ingest runs and its log is quiet; whether the broker's ACL lets this home's user read {topic} and the ingestor write it; whether another program reads in the ingestor's share group. Nothing is lost meanwhile."
    case tooLarge = "a message of {count} bytes on {room}'s topic is larger than the cloud broker takes"
    case tooLargeSomewhere = "a message of {count} bytes on its topic is larger than the cloud broker takes"
    case raiseLimits =
        "It is set aside (hearth journal). Raise max_packet_size or message_size_limit of the cloud broker, or make the sender write less."
    case noConfirmations =
        "the cloud broker does not give this home its confirmations: nothing can be forgotten ({topic}; {why})"
    case cloudCannotCommand =
        "the cloud cannot command: the broker does not give this home its commands ({topic}; {why})"
    case noAccount =
        "hearth audit cannot tell what became points: the broker does not give this home its account ({topic}; {why})"
    case statusUnseen = "the cloud does not see this gateway's status ({topic}; {why})"
    case cloudACL = "In the cloud broker's ACL file, below this home's user: {line}"
    case cloudLimits = "the cloud broker takes {limits}"
    case cloudLimitsUnsafe =
        "the cloud broker takes {limits}: a reading is lost when the connection breaks at the wrong moment"
    case cloudConfiguration = "In the cloud broker's configuration: {lines}"
}

extension Sentence {
    static func finding(_ sentence: FindingSentence, _ values: KeyValuePairs<String, Value> = [:]) -> Sentence {
        Sentence(sentence, values)
    }

    /// A finding's sentence with one command to type.
    static func finding(_ sentence: FindingSentence, command: String) -> Sentence {
        Sentence(sentence, ["command": .text(command)])
    }

    /// Why a broker did not take something: its word, or that it closes the connection.
    static func refused(because reason: (some CustomStringConvertible)?) -> Sentence {
        reason.map { .finding(.refusedBecause, ["reason": .text($0.description)]) } ?? .finding(.closesAtIt)
    }

    /// One after the other, with commas between.
    static func list(_ sentences: [Sentence]) -> Value {
        guard let first = sentences.first else { return .text("") }
        guard sentences.count > 1 else { return .sentence(first) }
        return .sentence(.finding(.list, ["first": .sentence(first), "rest": list(Array(sentences.dropFirst()))]))
    }
}
