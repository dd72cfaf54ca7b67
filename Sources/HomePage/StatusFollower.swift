import GatewayClient
import Glibc
import Heating
import Logging
import Machine

/// Asks hearthd for a status each second, for as long as the process lives, on a thread of its own.
package struct StatusFollower: Sendable {
    /// hearthd answers each second. One that has not for this long counts as stopped: with the second that a page needs
    /// to say so, people know within five.
    static let patience = Duration.seconds(3)

    let socket: String
    let board: StatusBoard
    let logger: Logger

    package init(socket: String, board: StatusBoard, logger: Logger) {
        (self.socket, self.board, self.logger) = (socket, board, logger)
    }

    package func start() {
        do {
            try startThread(named: "status") { run() }
        } catch {
            logger.critical("no thread for following hearthd", metadata: ["error": "\(error.text)"])
        }
    }

    private func run() -> Never {
        let feed = StatusFeed(socket: socket, timeout: Self.patience)
        var isLost = false
        while true {
            switch feed.next() {
            case .status(let json):
                if isLost { logger.notice("hearthd answers again") }
                isLost = false
                board.publish(json, now: .now)
            case .lost(let error):
                if !isLost {
                    logger.warning(
                        "hearthd does not answer", metadata: ["socket": "\(socket)", "error": "\(error.reason)"])
                }
                isLost = true
                board.publish(lost: error.loss, error.reason, now: .now)
            case .interrupted: break
            }
        }
    }
}

extension VarlinkError {
    /// What no answer means for the house.
    var loss: StatusBoard.Loss.Kind {
        switch self {
        case .noSocket, .refused, .closed: .stopped
        case .timedOut: .silent
        case .denied, .pathTooLong, .oversized, .malformed, .system, .refusal, .interrupted: .hidden
        }
    }
}
