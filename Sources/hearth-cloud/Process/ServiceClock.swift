import Heating
import Machine

/// The clocks of the cloud services: boot time for waiting, wall time for stamping.
extension Clock {
    static var now: Instant { Instant(nanoseconds: bootNanoseconds) }
    static var wall: Timestamp { Timestamp(nanoseconds: wallNanoseconds) }
}
