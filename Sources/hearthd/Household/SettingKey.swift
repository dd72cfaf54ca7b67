import Heating

/// What people may set of a room, or of the house, without the file: by `hearth settings`, on the page, in Home Assistant.
enum SettingKey: String, CaseIterable, Sendable {
    case mode, target, band, schedule
    case frost = "presets.frost"
    case eco = "presets.eco"
    case comfort = "presets.comfort"
    /// How people call the room.
    case name
    /// Where it stands in lists.
    case order

    var preset: Preset? {
        switch self {
        case .frost: .frost
        case .eco: .eco
        case .comfort: .comfort
        case .mode, .target, .band, .schedule, .name, .order: nil
        }
    }

    /// Means nothing for the house as a whole.
    var isOfRoomsOnly: Bool { self == .name || self == .order }

    /// The keys of the configuration that say the same.
    var configurationKeys: [[String]] {
        switch self {
        case .target: [["target"], ["on_below"], ["off_above"]]
        case .frost, .eco, .comfort:
            ["target", "on_below", "off_above"].map { ["presets", preset?.rawValue ?? "", $0] }
        case .mode, .band, .schedule, .name, .order: [[rawValue]]
        }
    }
}

/// Who said what counts.
enum SettingOrigin: String, Sendable {
    /// Nobody: it is the program's default.
    case builtIn = "default"
    case file
    /// People, for the house.
    case house
    /// People, for this room.
    case kept
}
