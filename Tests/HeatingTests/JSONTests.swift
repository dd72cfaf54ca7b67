import Foundation
import SimulationModel
import Testing

@testable import Heating

@Suite struct JSONTests {
    private func problem(_ text: String) -> JSON.SyntaxError.Problem? {
        do throws(JSON.SyntaxError) {
            _ = try JSON.parse(text)
            return nil
        } catch { return error.problem }
    }

    @Test func keepsNumbersExactlyAndMembersInOrder() throws {
        let text = #"{"b":1.50,"a":[12345678901234567890,-0,1E5],"c":{"x":null,"y":true,"z":false}}"#
        #expect(try JSON.parse(text).serialized() == text)
    }

    @Test func readsEveryEscape() throws {
        let parsed = try JSON.parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00""#)
        #expect(parsed.string == "\"\\/\u{8}\u{C}\n\r\tAé😀")
    }

    @Test func writesEscapesThatOthersRead() throws {
        let text = String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init))) + "😀\u{2028}"
        let written = JSON.string(text).serialized()
        let read = try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed)
        #expect((read as? String).map { Array($0.utf8) } == Array(text.utf8))
        #expect(try JSON.parse(written).string.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test func refusesWhatIsAmbiguousOrNotJSON() {
        #expect(problem(#"{"a":1,"a":2}"#) == .duplicateKey)
        #expect(problem(#"{"x":[{"a":1,"\u0061":2}]}"#) == .duplicateKey)
        #expect(problem(#""\ud800""#) == .unexpected)
        #expect(problem(#""\udc00\ud800""#) == .unexpected)
        #expect(problem("1 2") == .unexpected)
        #expect(problem("tru") == .unexpected)
        #expect(problem("") == .unexpected)
        #expect(problem("[1,]") == .unexpected)
        #expect(throws: JSON.SyntaxError.self) { try JSON.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSON.SyntaxError.self) { try JSON.parse(bytes("[1,2]"), limit: 4) }
    }

    @Test func boundsNesting() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        #expect(problem(nested(32)) == nil)
        #expect(problem(nested(33)) == .tooDeep)
        #expect(problem(nested(100_000)) == .tooDeep)
        #expect(problem(String(repeating: #"{"a":"#, count: 50_000)) == .tooDeep)
    }

    @Test func givesTypedAccess() throws {
        let json = try JSON.parse(#"{"n":42,"d":2.5,"big":1e999,"s":"x","b":true,"l":[1],"z":null}"#)
        #expect(json["n"]?.int == 42)
        #expect(json["n"]?.double == 42)
        #expect(json["d"]?.int == nil)
        #expect(json["d"]?.double == 2.5)
        #expect(json["big"]?.double == nil)
        #expect(json["s"]?.string == "x")
        #expect(json["b"]?.bool == true)
        #expect(json["l"]?[0]?.int == 1)
        #expect(json["l"]?[1] == nil)
        #expect(json["l"]?[-1] == nil)
        #expect(json["z"]?.isNull == true)
        #expect(json["none"] == nil)
        #expect(json["s"]?["x"] == nil)
    }

    @Test func buildsFromLiteralsAndEditsObjects() {
        var object = JSON.Object([("a", 1), ("b", [true, nil, "x", 2.5])])
        object["a"] = JSON(7)
        object["c"] = ["k": JSON(Int64.max)]
        #expect(JSON.object(object).serialized() == #"{"a":7,"b":[true,null,"x",2.5],"c":{"k":9223372036854775807}}"#)
        object["b"] = nil
        #expect(object.members.map(\.key) == ["a", "c"])
        #expect(JSON(Double.nan) == .null)
        #expect(JSON(Double.infinity) == .null)
    }

    @Test func doublesReadBackBitEqual() throws {
        for seed in seeds(20_000, "doublesReadBackBitEqual") {
            var random = SeededGenerator(seed: seed)
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let read = try JSON.parse(JSON(value).serialized()).double
            try check(read?.bitPattern == value.bitPattern, seed, "\(value) became \(String(describing: read))")
        }
    }

    private static func hasHugeNumber(_ json: JSON) -> Bool {
        switch json {
        case .number: json.double == nil
        case .array(let elements): elements.contains(where: hasHugeNumber)
        case .object(let object): object.members.contains { hasHugeNumber($0.value) }
        default: false
        }
    }

    /// Foundation is the oracle on what is JSON, apart from what is refused on purpose.
    @Test func agreesWithFoundationOnDamagedText() throws {
        let good = bytes(#"{"a":[1,-2.5e3,{"b":null,"c":"x\u00e9\n"}],"d":true,"e":{},"f":[]}"#)
        for seed in seeds(20_000, "agreesWithFoundation") {
            var random = SeededGenerator(seed: seed)
            var text = good
            for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = random.pick(bytes("\"\\{}[],:0123456789eE+-. untrfalse"))
                case 1: text.remove(at: place)
                default: text.insert(random.pick(bytes("\"\\{}[],:0123456789eE+-. u")), at: place)
                }
            }
            // A number beyond a double is JSON, and Foundation refuses it.
            guard let json = try? JSON.parse(text), !Self.hasHugeNumber(json) else { continue }
            let theirs = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            try check(theirs != nil, seed, "accepted \(String(decoding: text, as: UTF8.self))")
            try check((try? JSON.parse(json.serialized())) == json, seed, "changed by a round trip")
        }
    }
}
