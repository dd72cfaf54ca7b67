import Testing

@testable import Heating

@Suite struct TopicTests {
    private let room = Room("office")!
    private let home = HomeID("home1")!

    @Test func roomsAreTopicLevels() {
        for name in ["office", "Küche", "1", "a b", "bad\u{1}room", "temperature", "hearth", "$x", "🏠"] {
            #expect(Room(name)?.name == name)
        }
        for name in ["", "a/b", "+", "a+", "#", "a#b", "nul\0", String(repeating: "x", count: 201)] {
            #expect(Room(name) == nil)
            #expect(HomeID(name) == nil)
        }
        #expect(Room(String(repeating: "x", count: 200)) != nil)
        #expect(Room(String(repeating: "é", count: 101)) == nil)
        #expect(HomeID("$SYS") == nil)
        #expect(HomeID("a$") != nil)
    }

    @Test func differentBytesAreDifferentRooms() {
        let (composed, decomposed) = (Room("caf\u{E9}")!, Room("cafe\u{301}")!)
        #expect("caf\u{E9}" == "cafe\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
        #expect((composed < decomposed) != (decomposed < composed))
    }

    @Test func displayNamesCannotMoveTheCursor() {
        #expect(Room("a\u{1B}[2Jb")?.displayName == "a\\u{1b}[2Jb")
        #expect(Room("a\u{202E}b\nc\u{2028}")?.displayName == "a\\u{202e}b\\u{a}c\\u{2028}")
        #expect(Room("Küche 1")?.displayName == "Küche 1")
    }

    @Test func homeTopicsReadBack() {
        for topic in [HomeTopic.temperature(room), .heatpump(room)] {
            #expect(HomeTopic(topic.string) == topic)
            #expect(topic.room == room)
        }
        #expect(HomeTopic.temperature(room).string == "office/temperature")
        #expect(HomeTopic.heatpump(room).string == "office/heatpump")
    }

    @Test(arguments: [
        "", "/", "office", "office/", "/temperature", "office/Temperature", "office/temperature/",
        "a/office/temperature",
        "office/heatpump/set", "+/temperature", "#", "hearth/office/state", "office//temperature",
        "office/temperature\u{301}", "office/\u{301}temperature",
    ])
    func foreignHomeTopicsAreRefused(topic: String) {
        #expect(HomeTopic(topic) == nil)
    }

    @Test func aSlashIsASlashBeforeACombiningMark() {
        #expect(HomeTopic("a/\u{301}b/temperature") == nil)
        #expect(CloudTopic("home1/\u{301}b/temperature") == .temperature(home, Room("\u{301}b")!))
    }

    @Test func cloudTopicsReadBack() {
        let gateway = Room("gateway")!
        let all: [(CloudTopic, String)] = [
            (.temperature(home, room), "home1/office/temperature"), (.heatpump(home, room), "home1/office/heatpump"),
            (.heatpumpSet(home, room), "home1/office/heatpump/set"), (.frame(home), "home1/frame"),
            (.ack(home), "home1/gateway/ack"), (.status(home), "home1/gateway/status"),
            (.temperature(home, gateway), "home1/gateway/temperature"),
            (.measure(home, room, Measure("humidity")!), "home1/office/humidity"),
        ]
        for (topic, text) in all {
            #expect(topic.string == text)
            #expect(CloudTopic(text) == topic)
            #expect(topic.home == home)
        }
        #expect(CloudTopic(home, HomeTopic.temperature(room)).string == "home1/office/temperature")
        #expect(CloudTopic(home, HomeTopic.heatpump(room)).string == "home1/office/heatpump")
    }

    @Test(arguments: [
        "", "home1", "home1/", "/frame", "home1/frame/X", "home1/gateway", "home1/gateway/ack/x", "home1/ack",
        "$SYS/office/temperature", "home1//temperature", "home1/+/temperature", "home1/office/heatpump/get",
        "home1/office/temperature/set", "home1/office/heatpump/set/", "home1/a/b/c/d",
    ])
    func foreignCloudTopicsAreRefused(topic: String) {
        #expect(CloudTopic(topic) == nil)
    }
}
