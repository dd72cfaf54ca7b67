import CMosquitto
import Glibc

/// The certificates of a PEM file, as far as their ends matter.
public enum CertificateFile {
    /// When each certificate in a file ends, in the order of the file; seconds since 1970.
    ///
    /// Reads the file, so it may block as long as the disk does. Any thread.
    ///
    /// - Returns: empty when the file cannot be read, holds no certificate, or OpenSSL is not in this process. That
    ///   such a file is of no use is said by the attempt to connect with it.
    public static func ends(in path: String) -> [Int64] {
        guard let x509 = X509.loaded, let bytes = try? readFile(path, purpose: "certificate", limit: 1 << 20) else {
            return []
        }
        return x509.ends(inPEM: bytes)
    }
}

/// What it takes to read certificates with the OpenSSL that libmosquitto has brought into the process.
/// See PEM_read_bio_X509(3), X509_get0_notAfter(3), ASN1_TIME_to_tm(3).
private struct X509: Sendable {
    private typealias NewBuffer = @convention(c) (UnsafeRawPointer, CInt) -> UnsafeMutableRawPointer?
    private typealias Read =
        @convention(c) (
            UnsafeMutableRawPointer, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> UnsafeMutableRawPointer?
    private typealias NotAfter = @convention(c) (UnsafeRawPointer) -> UnsafeRawPointer?
    private typealias ToTime = @convention(c) (UnsafeRawPointer, UnsafeMutablePointer<tm>) -> CInt
    private typealias FreeBuffer = @convention(c) (UnsafeMutableRawPointer) -> CInt
    private typealias FreeCertificate = @convention(c) (UnsafeMutableRawPointer) -> Void
    private typealias ClearErrors = @convention(c) () -> Void

    static let loaded = X509()

    private let newBuffer: NewBuffer
    private let read: Read
    private let notAfter: NotAfter
    private let toTime: ToTime
    private let freeBuffer: FreeBuffer
    private let freeCertificate: FreeCertificate
    private let clearErrors: ClearErrors

    private init?() {
        guard let newBuffer = hearth_symbol("BIO_new_mem_buf"), let read = hearth_symbol("PEM_read_bio_X509"),
            let notAfter = hearth_symbol("X509_get0_notAfter"), let toTime = hearth_symbol("ASN1_TIME_to_tm"),
            let freeBuffer = hearth_symbol("BIO_free"), let freeCertificate = hearth_symbol("X509_free"),
            let clearErrors = hearth_symbol("ERR_clear_error")
        else { return nil }
        self.newBuffer = unsafeBitCast(newBuffer, to: NewBuffer.self)
        self.read = unsafeBitCast(read, to: Read.self)
        self.notAfter = unsafeBitCast(notAfter, to: NotAfter.self)
        self.toTime = unsafeBitCast(toTime, to: ToTime.self)
        self.freeBuffer = unsafeBitCast(freeBuffer, to: FreeBuffer.self)
        self.freeCertificate = unsafeBitCast(freeCertificate, to: FreeCertificate.self)
        self.clearErrors = unsafeBitCast(clearErrors, to: ClearErrors.self)
    }

    func ends(inPEM bytes: [UInt8]) -> [Int64] {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let buffer = newBuffer(start, CInt(clamping: bytes.count)) else {
                return []
            }
            // Reading past the last certificate leaves an error behind for whoever asks next on this thread.
            defer {
                _ = freeBuffer(buffer)
                clearErrors()
            }
            // A passphrase, here an empty one, keeps OpenSSL from asking for one on a terminal.
            var passphrase: CChar = 0
            var ends: [Int64] = []
            while let certificate = withUnsafeMutablePointer(to: &passphrase, { read(buffer, nil, nil, $0) }) {
                defer { freeCertificate(certificate) }
                var time = tm()
                guard let end = notAfter(certificate), toTime(end, &time) == 1 else { continue }
                ends.append(Int64(timegm(&time)))
            }
            return ends
        }
    }
}
