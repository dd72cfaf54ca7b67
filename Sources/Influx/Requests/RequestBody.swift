import CZlib

/// Makes one request body after the other with the same zlib state and output buffer.
///
/// Confined to the thread that uses it. The bytes of a body stay where they are until the next one is made, so
/// libcurl may read them in place.
final class RequestBody {
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    /// - Parameter level: zlib's 1 (fastest) to 9 (smallest); 0 stores the bytes in a gzip member as they are.
    /// - Throws: ``InfluxError/outOfMemory`` when zlib cannot start.
    init(level: Int) throws(InfluxError) {
        stream = .allocate(capacity: 1)
        buffer = .allocate(byteCount: 64 * 1024, alignment: 16)
        guard hearth_gzip_deflate_init(stream, CInt(level)) == Z_OK else { throw .outOfMemory }
    }

    deinit {
        // After a failed start, for which zlib.h allows it, this only says Z_STREAM_ERROR.
        deflateEnd(stream)
        stream.deallocate()
        buffer.deallocate()
    }

    /// The last body; valid until the next call of ``set(_:)``.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]) }

    /// Replaces ``bytes`` with `content` as one gzip member.
    func set(_ content: UnsafeRawBufferPointer) {
        deflateReset(stream)
        let bound = Int(deflateBound(stream, uLong(content.count)))
        if bound > buffer.count {
            buffer.deallocate()
            buffer = .allocate(byteCount: bound, alignment: 16)
        }
        // zlib does not write through next_in; its declaration merely lacks the const.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: content.bindMemory(to: Bytef.self).baseAddress)
        stream.pointee.avail_in = uInt(content.count)
        stream.pointee.next_out = buffer.bindMemory(to: Bytef.self).baseAddress
        stream.pointee.avail_out = uInt(buffer.count)
        // With deflateBound bytes of room one call always finishes (zlib.h).
        deflate(stream, Z_FINISH)
        count = buffer.count - Int(stream.pointee.avail_out)
    }
}
