import Heating
import MQTT

/// What is said of a connection besides why it ended (``DisconnectionSentence``), and of a look at the home broker. The page has
/// each of them in all its languages (`Sources/HomePage/Page/said.*.js`).
enum LinkSentence: String, CaseIterable {
    /// The connection over which Hearth reads sensors and commands heat pumps.
    case control = "control"
    case notStarted = "not started"
    case resolving = "asking the name server"
    case tcp = "waiting for the network"
    case tls = "TLS handshake"
    case mqtt = "waiting for the broker's answer"
    case stopped = "stopped"
    case waitingForJournal = "waiting for the journal"
    case recordingSide = "the recording side {ending}"

    // Ends of our own.
    case cloudSilent = "the cloud broker has answered nothing for a minute"
    case otherDevices = "the devices in the configuration have changed"

    // A look for devices.
    case noHomeBroker = "no home broker: {problem}"
    case notEverything =
        "the home broker does not give Hearth everything ({topic}: {reason}); below hearthd's user in its ACL file: {line}"
    case passedOver = "{count} messages were passed over: the broker holds more than can be looked at"
    case searchNotStarted = "{problem}"
}

extension Disconnection {
    /// Why it ended, for who speaks another language.
    var said: Sentence {
        if sentence == .ownWords, let own = LinkSentence(rawValue: message) { return Sentence(own) }
        return Sentence(
            sentence,
            values: values.map { named in
                switch named.value {
                case .text(let text): (named.name, .text(text))
                case .sentence(let sentence): (named.name, .sentence(Sentence(sentence)))
                }
            })
    }
}
