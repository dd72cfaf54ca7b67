import ArgumentParser
import Foundation

/// One setting of `hearth-cloud`: a flag, an environment variable, a default, and what may stand there. The flag wins over
/// the variable, the variable over the default. Secrets come from files.
///
/// It is read where it is used, so that a service does not fail over a setting that it never asks for.
struct Setting<Value: Sendable>: Sendable, CustomStringConvertible {
    /// The environment variable.
    let variable: String
    /// The flag with its dashes.
    let flag: String
    /// By flag or variable; nil where neither is set.
    fileprivate(set) var given: String?
    fileprivate let fallback: String
    fileprivate let form: Form<Value>

    /// As it was written, or else the default.
    var text: String { given ?? fallback }

    /// - Throws: `SettingError`, naming flag and variable, what was expected and what stands there.
    var value: Value {
        get throws(SettingError) {
            do throws(Unfit) {
                return try form.read(text)
            } catch {
                throw failure(error.reason)
            }
        }
    }

    /// An error of this setting.
    /// - Parameter reason: goes on after the name, such as "must be a port number".
    func failure(_ reason: String) -> SettingError { SettingError("\(flag) (\(variable)) \(reason)") }

    var description: String { text }
}

/// A setting that cannot be used, with what to do about it.
struct SettingError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Option {
    /// - Parameters:
    ///   - variable: the environment variable.
    ///   - flag: its flag, where it is not the variable in small letters with dashes.
    ///   - note: follows the variable in the help, such as "default: the host's name".
    init<Content>(
        _ variable: String, flag: String? = nil, _ form: Form<Content>, default fallback: String = "",
        help: String = "",
        note: String? = nil
    ) where Value == Setting<Content> {
        let flag = flag ?? variable.lowercased().replacing("_", with: "-")
        let environment = ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        let unset = Setting(variable: variable, flag: "--\(flag)", given: environment, fallback: fallback, form: form)
        let names = "(\(variable)\(note.map { "; \($0)" } ?? ""))"
        // Never what may be secret: that has no default.
        let shown = fallback.isEmpty ? "" : " (default: \(unset.text))"
        self.init(
            wrappedValue: unset, name: .customLong(flag),
            help: ArgumentHelp(stringLiteral: (help.isEmpty ? names : "\(help) \(names).") + shown),
            transform: { text in
                var setting = unset
                setting.given = text
                return setting
            })
    }

    /// A setting that takes any text.
    init(
        _ variable: String, flag: String? = nil, default fallback: String = "", help: String = "", note: String? = nil
    ) where Value == Setting<String> {
        self.init(variable, flag: flag, .text, default: fallback, help: help, note: note)
    }
}
