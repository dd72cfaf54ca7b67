import Machine
import Testing

@Suite struct CRC32CTests {
    @Test(arguments: [true, false])
    func checksumsAreThoseOfTheStandard(usesInstruction: Bool) {
        // RFC 3720 appendix B.4 and the check value of the CRC catalogue.
        func checksum(_ bytes: [UInt8]) -> UInt32 {
            var checksum = CRC32C(usesInstruction: usesInstruction)
            checksum.update(bytes)
            return checksum.value
        }
        #expect(checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(checksum([UInt8](repeating: 255, count: 32)) == 0x62a8_ab43)
        #expect(checksum(Array(0..<32)) == 0x46dd_794e)
        #expect(checksum([]) == 0)
    }

    @Test func aFileMovesBetweenMachinesWithTheChecksumInstructionAndWithout() {
        for length in 0..<100 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255) }
            let word = UInt64.random(in: 0...UInt64.max)
            let values = [true, false].map { usesInstruction in
                var checksum = CRC32C(usesInstruction: usesInstruction)
                checksum.update(bytes)
                checksum.update(word)
                checksum.update(bytes)
                return checksum.value
            }
            #expect(values[0] == values[1], "\(bytes), \(word)")
        }
    }
}
