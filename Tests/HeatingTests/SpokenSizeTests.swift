import Heating
import Testing

@Suite struct SpokenSizeTests {
    @Test(arguments: [
        (0, "0 B"), (-5, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"),
        (97_955_840, "97.9 MB"), (21_474_836_480, "21.4 GB"), (Int64.max, "9223.3 PB"),
    ])
    func `a size has one decimal and the unit that is written on a disk`(bytes: Int64, text: String) {
        #expect(spokenSize(bytes) == text)
    }
}
