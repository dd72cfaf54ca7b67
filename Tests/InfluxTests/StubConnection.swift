import CZlib
import Foundation

/// Reads HTTP/1.1 requests with a Content-Length.
struct StubConnection {
    struct Message {
        var method: String
        var path: String
        var query: [String: String]
        var headers: [String: String]
        var body: [UInt8]
        /// nil when the body is not gzip.
        var content: [UInt8]? { gunzip(body) }
    }

    let socket: CInt
    private var buffer: [UInt8] = []

    init(socket: CInt) { self.socket = socket }

    /// nil at the end of the connection.
    mutating func next() throws -> Message? {
        var split = buffer.firstRange(of: Array("\r\n\r\n".utf8))
        while split == nil {
            guard let part = try receive(socket), !part.isEmpty else { return nil }
            buffer += part
            split = buffer.firstRange(of: Array("\r\n\r\n".utf8))
        }
        guard let split else { return nil }
        let lines = String(decoding: buffer[..<split.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.last?.trimmingCharacters(in: .whitespaces) ?? ""
        }
        let length = Int(headers["content-length"] ?? "") ?? 0
        while buffer.count < split.upperBound + length {
            guard let part = try receive(socket), !part.isEmpty else { return nil }
            buffer += part
        }
        let body = Array(buffer[split.upperBound..<split.upperBound + length])
        buffer.removeFirst(split.upperBound + length)
        let request = lines[0].components(separatedBy: " ")
        let components = URLComponents(string: request.count > 1 ? request[1] : "")
        let query = Dictionary((components?.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { $1 }
        return Message(
            method: request[0], path: components?.path ?? "", query: query, headers: headers, body: body)
    }
}

func gunzip(_ input: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    guard hearth_gzip_inflate_init(&stream) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = input
    var output: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    return input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = uInt(source.count)
        while true {
            let capacity = part.count
            let result = part.withUnsafeMutableBufferPointer { target in
                stream.next_out = target.baseAddress
                stream.avail_out = uInt(capacity)
                return inflate(&stream, Z_NO_FLUSH)
            }
            output += part[..<(capacity - Int(stream.avail_out))]
            if result == Z_STREAM_END { return output }
            if result != Z_OK { return nil }
        }
    }
}
