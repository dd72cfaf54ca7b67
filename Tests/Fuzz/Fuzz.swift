import Glibc

/// What libFuzzer calls with each input (https://llvm.org/docs/LibFuzzer.html#fuzz-target). `HEARTH_FUZZ_TARGET` says which
/// parser gets it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

private let chosen: @Sendable ([UInt8]) -> Void = {
    let name = getenv("HEARTH_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("HEARTH_FUZZ_TARGET must be one of: \(targets.keys.sorted().joined(separator: " "))")
        exit(64)
    }
    return target
}()

/// Every parser that meets bytes from outside, with what must hold of what it makes of them.
private let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "reading": checkReading, "command": checkCommand, "frame": checkFrame, "acknowledgement": checkAcknowledgement,
    "json": checkJSON, "logged-reading": checkLoggedReading, "timestamp": checkTimestamp,
    "database-answer": checkDatabaseAnswer, "status": checkStatus, "varlink": checkVarlink,
    "configuration": checkConfiguration, "device": checkDevice,
]

/// A finding: ends the process, and libFuzzer keeps the input.
func require(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    if !condition {
        let bytes = Array("FINDING: \(sentence())\n".utf8)
        _ = write(2, bytes, bytes.count)
        abort()
    }
}
