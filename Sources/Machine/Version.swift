/// The version of all programs of Hearth: they are built, packaged and upgraded together.
package enum Version {
    package static let current = "0.1.0"
}
