import Glibc
import Machine

/// The process's environment as a dictionary.
enum Environment {
    static var current: [String: String] {  // Own names: variables.
        var result: [String: String] = [:]  // Own names: variables.
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}

/// Whole texts to a descriptor.
enum FileOutput {
    static func standardOutput(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func standardError(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }
}

/// Where the configuration comes from, so that a reload reads the same place again.
struct ConfigurationSource: Sendable {
    /// A configuration is a page of text; a file beyond this is a mistake.
    private static let sizeLimit = 1 << 20

    let path: String
    let environment: [String: String]  // Own names: variables.

    func read() throws(ConfigurationError) -> Configuration {
        try Configuration(
            text: try contents(path), file: path, environment: environment, fragments: try fragments())
    }

    /// The path as another process must write it.
    var absolutePath: String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The files of `devices.d` beside the configuration, in the order of their names.
    private func fragments() throws(ConfigurationError) -> [DeviceFile] {
        let directory = (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + "devices.d"
        guard let handle = opendir(directory) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw failure("cannot be read: \(systemErrorText(errno))", directory)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // What an editor leaves beside a file is none.
            if name.hasSuffix(".toml"), !name.hasPrefix(".") { names.append(name) }
        }
        var files: [DeviceFile] = []
        for name in names.sorted() {
            let file = directory + "/" + name
            files.append(DeviceFile(text: try contents(file), file: file))
        }
        return files
    }

    private func contents(_ path: String) throws(ConfigurationError) -> String {
        func failure(_ message: String) -> ConfigurationError { self.failure(message, path) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw failure("cannot be read: \(systemErrorText(errno)). Check the path and its permissions")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while bytes.count <= Self.sizeLimit {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 {
                guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("is not UTF-8 text") }
                return text
            }
            guard count > 0 else { throw failure("cannot be read: \(systemErrorText(errno))") }
            bytes += chunk[..<count]
        }
        throw failure("is larger than \(Self.sizeLimit) bytes; that is not a configuration")
    }

    private func failure(_ message: String, _ path: String) -> ConfigurationError {
        ConfigurationError(problems: [.init(line: nil, key: "", message: message, file: path)])
    }
}
