/// What became of a batch: every point is in one of the two.
public struct WriteResult: Sendable, Equatable {
    /// Points the database confirmed (204).
    public var stored: Int
    /// Points that were not accepted, in the order in which that was found out.
    public var rejected: [RejectedPoint]
}

/// A point that was not stored; for the dead letters.
public struct RejectedPoint: Sendable, Equatable {
    /// Its position in the array that was submitted, or the number it was added to the batch with.
    public var index: Int
    /// What kind of refusal; one that is not final may be tried again.
    public var refusal: Refusal
    /// The server's sentence, or the encoder's.
    public var reason: String
    /// The line without its end; empty when there is none.
    public var line: [UInt8] = []

    public init(index: Int, refusal: Refusal, reason: String, line: [UInt8] = []) {
        self.index = index
        self.refusal = refusal
        self.reason = reason
        self.line = line
    }
}

/// Stands for a submitted batch until ``InfluxWriter/wait(_:)`` returns its result.
// @unchecked: every stored property is read and written only with the lock of the writer's monitor held.
public final class Ticket: @unchecked Sendable {
    /// Points handed to the lanes that are neither stored nor rejected yet.
    var open = 0
    /// False while `submit` still has points of this batch in hand.
    var isComplete = false
    var stored = 0
    var rejected: [RejectedPoint] = []

    init() {}

    var result: WriteResult? {
        isComplete && open == 0 ? WriteResult(stored: stored, rejected: rejected) : nil
    }
}
