import Heating
import SimulationModel
import Testing

/// The uplink against a peer that loses, repeats, reorders, delays and lies, in virtual time.
@Suite struct UplinkPeerTests {
    @Test func everythingIsConfirmedOnceThePeerHasItAndNothingBefore() throws {
        for seed in seeds(60, "everythingIsConfirmed") {
            var world = UplinkWorld(seed: seed, confirm: .ingestor)
            try world.live(events: 400)
            try world.heal()
        }
    }

    @Test func withABrokerThatConfirmsLikewise() throws {
        for seed in seeds(60, "withABrokerThatConfirms") {
            var world = UplinkWorld(seed: seed, confirm: .broker)
            try world.live(events: 400)
            try world.heal()
        }
    }
}
