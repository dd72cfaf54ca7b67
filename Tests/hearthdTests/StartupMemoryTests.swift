import Testing

@testable import hearthd

/// Which memory is given back after the start.
@Suite struct StartupMemoryTests {
    private func mapping(_ header: String, anonymous: Int = 0) -> String {
        """
        \(header)
        Size:               1024 kB
        Rss:                 512 kB
        Private_Dirty:         \(anonymous) kB
        Anonymous:             \(anonymous) kB
        VmFlags: rd ex mr mw me
        """
    }

    @Test func onlyUnchangedPagesOfFilesAreGivenBack() {
        let smaps = [
            mapping("55d0c0000000-55d0c0400000 r--p 00000000 08:01 1311                       /usr/bin/hearthd"),
            mapping("55d0c0400000-55d0c1400000 r-xp 00400000 08:01 1311                       /usr/bin/hearthd"),
            // Relocated, then protected: its content is in no file.
            mapping(
                "55d0c1400000-55d0c1500000 r--p 01400000 08:01 1311                       /usr/bin/hearthd",
                anonymous: 4),
            mapping("55d0c1500000-55d0c1600000 rw-p 01500000 08:01 1311                       /usr/bin/hearthd"),
            mapping("55d0c2000000-55d0c2021000 rw-p 00000000 00:00 0                          [heap]"),
            mapping("7f0000000000-7f0000010000 r-xp 00000000 00:00 0 "),
            mapping("7f1000000000-7f1000001000 r-xs 00000000 08:01 7                          /usr/lib/shared"),
            mapping("7f2000000000-7f2000001000 rwxp 00000000 08:01 8                          /usr/lib/written"),
            mapping(
                "7f3000000000-7f3000002000 r-xp 00028000 08:01 9                          /usr/lib/a name (deleted)"),
            mapping("7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]"),
        ].joined(separator: "\n")
        #expect(
            StartupMemory.unchanged(smaps) == [
                0x55d0_c000_0000..<0x55d0_c040_0000, 0x55d0_c040_0000..<0x55d0_c140_0000,
                0x7f30_0000_0000..<0x7f30_0000_2000,
            ])
    }

    @Test(arguments: ["", "x-y r-xp 0 0 0 /a", "5-5 r-xp 0 0 0 /a", "9-4 r-xp 0 0 0 /a", "1 r-xp 0 0 0 /a"])
    func whatIsNoMappingIsNothing(header: String) {
        #expect(StartupMemory.unchanged(mapping(header)).isEmpty)
    }

    @Test func theProcessGoesOn() {
        StartupMemory.release()
        #expect(Array(1...10_000).map { String($0) }.joined().count == 38_894)
    }
}
