import SimulationModel
import Testing

@Suite struct WindowsHistoryTests {
    @Test func theMeansEqualThoseOfATableOfAllReadings() throws {
        for seed in seeds(2000, "theMeansEqual") {
            var history = WindowsHistory(seed: seed)
            try history.run()
        }
    }

    /// A reading in order whose window had been closed by redeliveries was taken for a clock that jumped back, and a
    /// mean of that reading alone replaced the full one.
    @Test(arguments: [11_501, 29_773] as [UInt64]) func aWindowClosedEarlyIsNotReplacedByAPart(_ seed: UInt64) throws {
        var history = WindowsHistory(seed: seed)
        try history.run()
    }
}
