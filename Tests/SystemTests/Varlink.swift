import Foundation
import Glibc
import TestSupport

/// A Varlink call over a plain socket, written against the protocol's text and not with our client.
enum Varlink {
    static func call(_ method: String, _ parameters: [String: Any] = [:], socket path: String) throws -> Data {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure("no control socket at \(path)") }
        var limit = timeval(tv_sec: 3, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var request = try JSONSerialization.data(withJSONObject: ["method": method, "parameters": parameters])
        request.append(0)
        _ = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
        var reply = Data()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { throw Failure("\(method): the reply ended early") }
            reply.append(contentsOf: chunk[..<count])
            if let end = reply.firstIndex(of: 0) { return reply[..<end] }
        }
    }
}

/// A JSON document read by Foundation, not by the code under test.
struct JSONValue {
    private let value: Any?

    init(_ data: Data) throws {
        let reply = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        value = reply?["parameters"]
    }

    init(text: String) throws { value = try JSONSerialization.jsonObject(with: Data(text.utf8)) }

    private init(value: Any?) { self.value = value }

    subscript(key: String) -> JSONValue { JSONValue(value: (value as? [String: Any])?[key]) }
    subscript(index: Int) -> JSONValue {
        let list = value as? [Any]
        return JSONValue(value: list.flatMap { index < $0.count ? $0[index] : nil })
    }
    var array: [JSONValue]? { (value as? [Any])?.map { JSONValue(value: $0) } }
    var object: [String: JSONValue]? { (value as? [String: Any])?.mapValues { JSONValue(value: $0) } }
    var int: Int? { (value as? NSNumber)?.intValue }
    var double: Double? { (value as? NSNumber)?.doubleValue }
    var string: String? { value as? String }
    var bool: Bool? { value as? Bool }
    var isNull: Bool { value == nil || value is NSNull }
}
