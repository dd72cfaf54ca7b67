import Heating

/// Why a call over the control socket gave no answer.
package enum VarlinkError: Error, Equatable {
    /// There is nothing at this path.
    case noSocket(path: String)
    /// Something is there, but nobody listens: the daemon has ended without removing its socket, or it is a file.
    case refused(path: String)
    /// The socket's mode keeps us out; `group` is the one that is let in, if it has a name.
    case denied(path: String, group: String?)
    /// Longer than `sun_path` of unix(7) holds.
    case pathTooLong(path: String, limit: Int)
    /// No complete answer in this time.
    case timedOut(Duration)
    /// The daemon hung up before its answer was complete.
    case closed
    /// The answer grew beyond this many bytes.
    case oversized(limit: Int)
    /// The answer is not Varlink.
    case malformed(String)
    /// A system call failed with this errno.
    case system(call: String, code: Int32)
    /// The daemon understood and refused: the error's full name and its parameters.
    case refusal(name: String, parameters: JSON)
    /// The interrupt descriptor became readable.
    case interrupted

    /// The name of a refusal without its interface: "NoSuchRoom".
    package var refusalName: String? {
        guard case .refusal(let name, _) = self else { return nil }
        return name.split(separator: ".").last.map(String.init) ?? name
    }

    /// Whether the daemon could not be reached at all or stopped answering, as opposed to having refused.
    package var meansUnreachable: Bool {
        switch self {
        case .refusal, .interrupted: false
        default: true
        }
    }
}
