import Foundation

/// Runs `body` on a thread of its own. Librdkafka, the database writer and SQLite block, which a task must not.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.start()
}
