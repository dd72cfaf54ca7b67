/// Measurement, tags and one field: what many points of a ``PointBatch`` have in common, encoded once.
public struct Series: Sendable {
    let field: String
    /// `measurement,tag=value field=`
    let prefix: [UInt8]
    let hash: UInt64
    /// Why there is no line protocol form.
    let problem: LineProtocol.EncodingError?

    /// Names without a line protocol form are taken as well: each point of the series is then rejected with the reason.
    public init(measurement: String, tags: [(String, String)], field: String) {
        self.field = field
        var line = LineBuffer()
        var (hash, problem): (UInt64, LineProtocol.EncodingError?) = (0, nil)
        do throws(LineProtocol.EncodingError) {
            hash = try LineProtocol.encodeSeries(measurement, tags, into: &line)
            try LineProtocol.append(field: field, isFirst: true, to: &line)
        } catch {
            problem = error
        }
        (self.hash, self.problem) = (hash, problem)
        prefix = line.withBytes { Array($0) }
    }
}
