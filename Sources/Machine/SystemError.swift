import Glibc

/// A system call that failed.
package struct SystemError: Error, Equatable {
    package var code: Int32

    package init(code: Int32) {
        self.code = code
    }

    package var text: String { systemErrorText(code) }
}

/// The system's words for an errno.
package func systemErrorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(truncatingIfNeeded:)), as: UTF8.self)
}
