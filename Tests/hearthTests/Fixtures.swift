import GatewayClient
import Glibc
import Heating

@testable import hearth

/// A status as hearthd writes it: one home in trouble, with everything that can be shown.
let troubledStatus = """
    {"version":"0.1.0","home":"home1","startedAt":"2026-11-23T06:00:00Z","uptimeSeconds":273600.4,
     "configurationError":"line 4: unknown key on_bellow",
     "rooms":[
      {"room":"bedroom","temperature":25.31,"readingAgeSeconds":0.4,"stale":false,"pump":"off","pumpSeconds":7384,
       "reason":"25.3 is above 25.0","onBelow":20,"offAbove":25,"override":null,"waitingSeconds":null},
      {"room":"cellar","temperature":null,"readingAgeSeconds":null,"stale":true,"pump":"unknown","pumpSeconds":null,
       "reason":"no reading since start","onBelow":20,"offAbove":25,"override":null,"waitingSeconds":null},
      {"room":"guest room on the second floor","temperature":17,"readingAgeSeconds":1260,"stale":true,"pump":"off",
       "pumpSeconds":360,"reason":"no reading for 15 min: off","onBelow":20,"offAbove":25,"override":null,
       "waitingSeconds":null},
      {"room":"office","temperature":19.4,"readingAgeSeconds":1.2,"stale":false,"pump":"on","pumpSeconds":34,
       "reason":"override on by cli","onBelow":19,"offAbove":25,
       "override":{"pump":"on","source":"cli","secondsLeft":6000},"waitingSeconds":200}],
     "links":[
      {"name":"control","peer":"127.0.0.1:1883","state":"connected","seconds":273599,"protocol":"MQTT 5","detail":""},
      {"name":"record","peer":"127.0.0.1:1883","state":"connected","seconds":273599,"protocol":"MQTT 5","detail":""},
      {"name":"uplink","peer":"mqtt.example.org:8883","state":"waiting","seconds":5,"protocol":null,
       "detail":"connection refused: is the broker running at mqtt.example.org:8883?"}],
     "uplink":{"confirm":"ingestor","backlog":41233,"oldestSeconds":2290,"ratePerSecond":18.2,"secondsToDrain":2266,
      "inFlight":512,"confirmedThrough":1200000,"resent":20},
     "journal":{"path":"/var/lib/hearth/journal.sqlite","epoch":"5f0e0b2c","newest":1241233,"firstKept":1100000,
      "usedBytes":1258291,"fileBytes":4194304,"walBytes":65536,"maxBytes":536870912,"dropped":0,"quarantined":2,
      "setAside":{"not_json":3,"bad_value":1},"commits":912345,"lastCommitMilliseconds":1.84,"lastError":null},
     "disk":{"freeBytes":25125558681,"totalBytes":31406948352},
     "counters":{"readings":1241240,"recorded":1241233,"duplicates":3,"retained":7,
      "rejected":{"bad_value":1,"not_json":3,"oversized":0},"commands":96},
     "alarms":[{"name":"journal-damaged","text":"the journal could not be read and was set aside as journal.sqlite.2026-11-20",
      "advice":"check the card's health; keep the file until its readings are known to have arrived"}]}
    """

/// The same home on a good day.
let healthyStatus = """
    {"version":"0.1.0","home":"home1","startedAt":"2026-11-23T06:00:00Z","uptimeSeconds":125,"configurationError":null,
     "rooms":[{"room":"office","temperature":21.96,"readingAgeSeconds":0.9,"stale":false,"pump":"on","pumpSeconds":61,
       "reason":"19.4 is below 20.0","onBelow":20,"offAbove":25,"override":null,"waitingSeconds":null}],
     "links":[
      {"name":"control","peer":"127.0.0.1:1883","state":"connected","seconds":124,"protocol":"MQTT 5","detail":""},
      {"name":"record","peer":"127.0.0.1:1883","state":"connected","seconds":124,"protocol":"MQTT 5","detail":""},
      {"name":"uplink","peer":"127.0.0.1:1884","state":"connected","seconds":124,"protocol":"MQTT 3.1.1","detail":""}],
     "uplink":{"confirm":"broker","backlog":0,"oldestSeconds":null,"ratePerSecond":1,"secondsToDrain":null,
      "inFlight":0,"confirmedThrough":125,"resent":0},
     "journal":{"path":"/var/lib/hearth/journal.sqlite","epoch":"5f0e0b2c","newest":125,"firstKept":1,
      "usedBytes":40960,"fileBytes":4194304,"walBytes":65536,"maxBytes":536870912,"dropped":0,"quarantined":0,
      "setAside":{},"commits":125,"lastCommitMilliseconds":0.9,"lastError":null},
     "disk":{"freeBytes":25125558681,"totalBytes":31406948352},
     "counters":{"readings":125,"recorded":125,"duplicates":0,"retained":0,"rejected":{},"commands":1},
     "alarms":[]}
    """

let journalReply = """
    {"journal":{"path":"/var/lib/hearth/journal.sqlite","epoch":"5f0e0b2c9d","newest":1241233,"firstKept":1100000,
      "usedBytes":1258291,"fileBytes":4194304,"walBytes":65536,"maxBytes":536870912,"dropped":1204,"quarantined":1,
      "setAside":{"not_json":3,"bad_value":1},"commits":912345,"lastCommitMilliseconds":1.84,"lastError":null},
     "lowWatermark":1200000,"oldestUnconfirmedSeconds":2290,
     "setAside":[{"topic":"office/temperature","reason":"not_json","payload":"hello \\u001b[2Jworld","ageSeconds":75},
      {"topic":"cellar/temperature","reason":"bad_value","payload":"{\\"timestamp\\":\\"2026-11-23T10:00:00\\",\\"value\\":\\"warm\\"}","ageSeconds":8000}]}
    """

/// A name made to take over a terminal: clears the screen, reddens, reorders, breaks the line.
let hostileName = "a\u{1B}[2J\u{1B}]0;owned\u{07}\u{9B}31m\u{202E}evil\r\n\u{200B}b"

func parsed(_ text: String) throws -> JSON {
    try JSON.parse(text)
}

func status(_ text: String) throws -> Status {
    Status(try parsed(text))
}

extension [String] {
    /// As one text, the way golden texts are written in the tests.
    var text: String { joined(separator: "\n") }
}

/// A moment of the day of the fixtures, in the zone that the tests run in.
func localTime(hour: Int32, minute: Int32) -> Timestamp {
    var fields = tm()
    (fields.tm_year, fields.tm_mon, fields.tm_mday) = (126, 10, 23)
    (fields.tm_hour, fields.tm_min, fields.tm_isdst) = (hour, minute, -1)
    return Timestamp(nanoseconds: Int64(mktime(&fields)) * 1_000_000_000)
}
