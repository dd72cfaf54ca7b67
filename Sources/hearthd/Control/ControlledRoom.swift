import Heating

/// All that Control keeps about one room.
struct ControlledRoom {
    var thermostat: Thermostat
    var news = NewsFilter()
    var foreign = ForeignCommands()
    /// Live readings, valid or not, came last at this time.
    var heardAt: Instant?
    /// When the retained state was last written.
    var statedAt: Instant?

    /// When this room wants a turn.
    var nextDeadline: Instant? {
        [thermostat.nextDeadline, news.nextDeadline, foreign.nextDeadline].compactMap(\.self).min()
    }

    /// What is shown of it.
    func view(isConfigured: Bool) -> ControlBoard.RoomView {
        .init(
            status: thermostat.status, settings: thermostat.settings, isConfigured: isConfigured, heardAt: heardAt,
            foreign: foreign)
    }
}
