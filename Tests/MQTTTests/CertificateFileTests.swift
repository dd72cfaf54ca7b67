import Foundation
import MQTT
import TestSupport
import Testing

/// The ends of certificates, compared with what `openssl x509` says about the same file.
@Suite struct CertificateFileTests {
    let certificates: Certificates

    init() async throws {
        certificates = try await Certificates(days: 40)
    }

    private func openssl(_ file: String) async throws -> Int64 {
        let result = try await ChildProcess.run(
            "/usr/bin/openssl", ["x509", "-in", file, "-noout", "-enddate", "-dateopt", "iso_8601"])
        // notAfter=2027-01-04 10:00:00Z
        let text = result.output.split(separator: "=").last.map(String.init) ?? ""
        let date = ISO8601DateFormatter().date(
            from: text.trimmingCharacters(in: .whitespacesAndNewlines).replacingOccurrences(of: " ", with: "T"))
        return Int64(try #require(date, "\(result.output)").timeIntervalSince1970)
    }

    @Test func theEndIsTheOneThatOpenSSLPrints() async throws {
        let server = try await openssl(certificates.serverCertificate)
        #expect(CertificateFile.ends(in: certificates.serverCertificate) == [server])
        let left = Double(server) - Date().timeIntervalSince1970
        #expect(abs(left - 40 * 86_400) < 120)
    }

    @Test func aChainHasAnEndForEachCertificate() async throws {
        let files = [certificates.serverCertificate, certificates.ca]
        let chain = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined(separator: "# between\n")
        let file = try certificates.directory.write(chain, to: "chain.crt")
        #expect(
            CertificateFile.ends(in: file) == [
                try await openssl(certificates.serverCertificate), try await openssl(certificates.ca),
            ])
    }

    @Test func whatIsNoCertificateHasNoEnd() throws {
        #expect(CertificateFile.ends(in: certificates.directory.file("missing.crt")).isEmpty)
        #expect(CertificateFile.ends(in: certificates.clientKey).isEmpty)
        let garbage = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n"
        for (name, text) in [("empty", ""), ("garbage", garbage), ("text", "hello\n")] {
            #expect(CertificateFile.ends(in: try certificates.directory.write(text, to: name)).isEmpty)
        }
    }
}
