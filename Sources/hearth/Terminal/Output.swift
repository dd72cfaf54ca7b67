import GatewayClient
import Glibc
import Machine

/// Standard output or standard error, written without buffering in between.
struct Output: Sendable {
    static let standard = Output(descriptor: STDOUT_FILENO)
    static let error = Output(descriptor: STDERR_FILENO)

    let descriptor: Int32

    /// Writes all of `text`. A reader that has gone away ends the process by SIGPIPE, as people expect of `| head`.
    func write(_ text: String) throws(Problem) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EAGAIN {
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&polled, 1, -1)
            } else if errno != EINTR {
                throw Problem("cannot write the output: \(systemErrorText(errno))", exitCode: 1)
            }
        }
    }

    func write(lines: [String]) throws(Problem) {
        try write(lines.map { $0 + "\n" }.joined())
    }

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether the cursor can be moved and colours be shown.
    var understandsEscapes: Bool {
        guard isTerminal, let kind = environmentVariable("TERM") else { return false }
        return kind != "dumb" && !kind.isEmpty
    }

    /// Coloured on a terminal, unless NO_COLOR is set and not empty (https://no-color.org).
    var style: Style {
        let isRefused = !(environmentVariable("NO_COLOR") ?? "").isEmpty
        return understandsEscapes && !isRefused ? .coloured : .plain
    }

    /// Columns and rows of the terminal; 80 columns and no limit of rows where there is none.
    var size: (columns: Int, rows: Int?) {
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else { return (80, nil) }
        return (min(max(Int(window.ws_col), 40), 200), window.ws_row > 0 ? Int(window.ws_row) : nil)
    }
}

func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
