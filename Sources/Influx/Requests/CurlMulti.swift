import CCurl

/// libcurl's event loop over several handles.
///
/// Confined to the writer's thread, except ``wake()``.
// @unchecked: the pointer never changes, and of the functions called here only curl_multi_wakeup is called from
// other threads, which its manual page allows at any time before curl_multi_cleanup; that is in deinit.
final class CurlMulti: @unchecked Sendable {
    private let pointer: UnsafeMutableRawPointer

    /// - Throws: ``InfluxError/outOfMemory``.
    init(connections: Int) throws(InfluxError) {
        guard let pointer = curl_multi_init() else { throw .outOfMemory }
        self.pointer = pointer
        // One kept connection per lane.
        hearth_curl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, connections)
    }

    deinit { curl_multi_cleanup(pointer) }

    /// Starts the transfer that was prepared on the handle.
    func add(_ handle: CurlHandle) { curl_multi_add_handle(pointer, handle.pointer) }

    /// Ends a transfer, finished or not; the connection of an unfinished one is closed.
    func remove(_ handle: CurlHandle) { curl_multi_remove_handle(pointer, handle.pointer) }

    /// Moves all transfers as far as they go without waiting.
    func perform() {
        var running: CInt = 0
        curl_multi_perform(pointer, &running)
    }

    /// A finished transfer and how it ended, as long as there are any.
    func nextFinished() -> (handle: UnsafeMutableRawPointer, result: CURLcode)? {
        var result = CURLE_OK
        guard let handle = hearth_curl_next_finished(pointer, &result) else { return nil }
        return (handle, result)
    }

    /// Waits for a socket, for one of libcurl's own timers, for ``wake()``, at most so long.
    func wait(nanoseconds: Int64) {
        let milliseconds = min(max(nanoseconds, 0), 3_600_000_000_000) / 1_000_000
        // Rounded up, or the last fraction of a millisecond would spin.
        curl_multi_poll(pointer, nil, 0, CInt(milliseconds) + (nanoseconds > 0 ? 1 : 0), nil)
    }

    /// Makes ``wait(nanoseconds:)`` return, or the next one if none is under way. From any thread.
    func wake() { curl_multi_wakeup(pointer) }
}
