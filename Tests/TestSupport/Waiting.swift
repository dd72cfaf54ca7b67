import Foundation

/// Something did not happen in time.
public struct TimedOut: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Waits until a condition holds, looking again and again; the only way tests here wait.
public func eventually(
    within limit: Duration = .seconds(10), _ what: String = "the condition", _ condition: () throws -> Bool
) async throws {
    let _: Bool = try await value(within: limit, what) { try condition() ? true : nil }
}

/// Waits until there is a value.
public func value<Value>(
    within limit: Duration = .seconds(10), _ what: String = "the value", _ find: () throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try find() { return value }
        if ContinuousClock.now >= deadline { throw TimedOut(description: "\(what): not within \(limit)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Makes sure that a condition keeps holding for a while.
public func always(
    for duration: Duration, _ what: String = "the condition", _ condition: () throws -> Bool
) async throws {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {
        guard try condition() else { throw TimedOut(description: "\(what): stopped being true") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
