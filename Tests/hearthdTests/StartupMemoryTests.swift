import Testing

@testable import hearthd

/// Which memory is given back after the start.
@Suite struct StartupMemoryTests {
    @Test func onlyTextOfFilesIsGivenBack() {
        let maps = """
            55d0c0000000-55d0c0400000 r--p 00000000 08:01 1311                       /usr/bin/hearthd
            55d0c0400000-55d0c1400000 r-xp 00400000 08:01 1311                       /usr/bin/hearthd
            55d0c1400000-55d0c1500000 rw-p 01400000 08:01 1311                       /usr/bin/hearthd
            55d0c2000000-55d0c2021000 rw-p 00000000 00:00 0                          [heap]
            7f0000000000-7f0000010000 r-xp 00000000 00:00 0
            7f1000000000-7f1000001000 r-xs 00000000 08:01 7                          /usr/lib/shared
            7f2000000000-7f2000001000 rwxp 00000000 08:01 8                          /usr/lib/written
            7f3000000000-7f3000002000 r-xp 00028000 08:01 9                          /usr/lib/a name (deleted)
            7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
            """
        #expect(
            StartupMemory.programText(maps) == [
                0x55d0_c040_0000..<0x55d0_c140_0000, 0x7f30_0000_0000..<0x7f30_0000_2000,
            ])
    }

    @Test func whatIsNoMapIsNothing() {
        #expect(StartupMemory.programText("").isEmpty)
        #expect(
            StartupMemory.programText("x-y r-xp 0 0 0 /a\n5-5 r-xp 0 0 0 /a\n9-4 r-xp 0 0 0 /a\n1 r-xp 0 0 0 /a")
                .isEmpty)
    }

    @Test func theProcessGoesOn() {
        StartupMemory.release()
        #expect(Array(1...10_000).map { String($0) }.joined().count == 38_894)
    }
}
