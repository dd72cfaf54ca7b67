import Heating

/// What an answer of the database means for the lines of the request.
///
/// A pure function of status, body and headers, after the two API references and what real servers answered
/// (statuses and texts: influxdata/docs-v2; 500 for a partial write in early 2.0: influxdata/telegraf#8571).
enum Disposition: Equatable {
    /// Every line is stored (204, the only status either API gives to a complete write).
    case stored
    /// Nothing is wrong with the data: send the same again, not before `after` when the server said so.
    case retry(reason: String, after: Duration?)
    /// The request is too big: send it in two halves.
    case tooLarge(reason: String)
    /// Some lines are not accepted as they are; the others may already be stored. Sending the halves finds out which.
    case refused(Refusal, reason: String, dropped: Dropped)
    /// A refusal in words that are not known: about some lines, or about all there is. What else the server takes tells.
    case unclear(reason: String)
    /// Nothing gets in until somebody acts or room is made: keep the data, try slowly. The default for every answer that
    /// is not known.
    case hold(reason: String)

    /// What a refusal says about the number of refused lines.
    enum Dropped: Equatable {
        case unknown
        /// `dropped=N` counts points (beyond the retention policy).
        case points(Int)
        /// `dropped=N` may count every conflicting field of a point.
        case fields(Int)
    }

    /// - Parameters:
    ///   - headers: names in lower case.
    ///   - now: wall clock, for a `Retry-After` that is a date.
    init(status: Int, body: [UInt8], headers: [String: String], now: Timestamp) {
        let reason = ServerMessage.text(status: status, body: body, headers: headers)
        let message = reason.lowercased()
        let isAboutAccess = status == 401 || status == 403
        // Before the status: a partial write stored the rest whatever status came with it. A 401 says
        // "unable to parse authentication credentials", which is not about a line.
        if status != 204, !isAboutAccess || message.contains("partial write"), !message.contains("<html"),
            let refusal = Refusal(message: reason)
        {
            self = .refused(refusal, reason: reason, dropped: Dropped(message, refusal))
            return
        }
        switch status {
        case 204:
            self = .stored
        case 413:
            self = .tooLarge(reason: reason)
        case 408, 425, 429:
            self = .retry(reason: reason, after: RetryAfter.delay(headers["retry-after"], now: now))
        // influxd 1.x goes on saying so until it is restarted, whatever room there is (measured with 1.6: its log keeps
        // the first error of a write).
        case 500...599 where message.contains("no space left on device"):
            self = .hold(reason: reason)
        case 500 where message.contains("retention policy not found"):
            self = .hold(reason: reason)
        // Only what a database says of itself: a proxy's page is not about lines.
        case 400, 422:
            let isSentence = !reason.hasPrefix("HTTP \(status)")
            self = isSentence && !Refusal.isAboutMore(reason) ? .unclear(reason: reason) : .hold(reason: reason)
        case 500...599 where !message.contains("partial write"):
            self = .retry(reason: reason, after: RetryAfter.delay(headers["retry-after"], now: now))
        default:
            // A full disk or a limit, told as a partial write; 401, 403, 404, a redirect, a 200 from something that is
            // not InfluxDB, and other 4xx: not known to be the data's fault, so the data is kept.
            self = .hold(reason: reason)
        }
    }
}

extension Disposition.Dropped {
    /// Reads the `dropped=N` at the end of a partial write.
    init(_ message: String, _ refusal: Refusal) {
        guard let mark = message.utf8.lastRange(of: "dropped=") else {
            self = .unknown
            return
        }
        let digits = message.utf8[mark...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let count = Int(String(digits) ?? "") else {
            self = .unknown
            return
        }
        self = refusal == .beyondRetention ? .points(count) : .fields(count)
    }

    /// Whether a request of so many lines and fields was refused as a whole. When several shards of the server
    /// refuse, it reports one of them, so a smaller count proves nothing.
    func coversAll(lines: Int, fields: Int) -> Bool {
        switch self {
        case .unknown: false
        case .points(let count): count >= lines
        case .fields(let count): count >= fields
        }
    }
}

extension String.UTF8View {
    /// The index after the last occurrence of `text`.
    fileprivate func lastRange(of text: StaticString) -> Index? {
        let wanted = Array(text.description.utf8)
        var start = index(endIndex, offsetBy: -wanted.count, limitedBy: startIndex)
        while let candidate = start {
            if self[candidate...].starts(with: wanted) { return index(candidate, offsetBy: wanted.count) }
            start = candidate == startIndex ? nil : index(before: candidate)
        }
        return nil
    }
}
