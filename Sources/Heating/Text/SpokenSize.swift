/// A size as it is written on a disk: in powers of a thousand with one decimal, "93.4 MB", "2.1 GB".
/// - Parameter bytes: negative counts as nothing.
public func spokenSize(_ bytes: some BinaryInteger) -> String {
    var tenths = max(0, Int64(clamping: bytes)) / 100
    guard tenths >= 10 else { return "\(max(0, Int64(clamping: bytes))) B" }
    var unit = "kB"
    for larger in ["MB", "GB", "TB", "PB"] where tenths >= 10_000 {
        tenths /= 1000
        unit = larger
    }
    return "\(tenths / 10).\(tenths % 10) \(unit)"
}
