import Heating
import Testing

@testable import hearthd

@Suite("Certificates: named before they end")
struct CertificateTests {
    private static let day: Int64 = 86_400 * 1_000_000_000
    private let now = Timestamp(nanoseconds: 1_795_428_000 * 1_000_000_000)

    private func end(in left: Int64) -> CertificateWatch.End {
        .init(file: "/etc/hearth/tls/home.crt", notAfter: now.nanoseconds + left)
    }

    @Test("from two weeks ahead there is an alarm, with the days that are left")
    func daysAhead() {
        #expect(end(in: 14 * Self.day + 1).finding(at: now) == nil)
        #expect(end(in: 14 * Self.day).finding(at: now)?.text == "/etc/hearth/tls/home.crt expires in 14 days")
        #expect(end(in: 13 * Self.day + 1).finding(at: now)?.text == "/etc/hearth/tls/home.crt expires in 14 days")
        #expect(end(in: Self.day).finding(at: now)?.text == "/etc/hearth/tls/home.crt expires in 1 day")
        #expect(end(in: 1).finding(at: now)?.text == "/etc/hearth/tls/home.crt expires in 1 day")
        #expect(end(in: 1).finding(at: now)?.advice == "Renew it, then: systemctl reload hearthd")
    }

    @Test("afterwards it has expired", arguments: [0, -1, -400 * day])
    func expired(left: Int64) {
        #expect(end(in: left).finding(at: now)?.text == "/etc/hearth/tls/home.crt has expired")
    }

    @Test("doctor: fine, a warning, an error")
    func doctor() {
        #expect(end(in: 15 * Self.day).check(at: now).state == .ok)
        #expect(end(in: 15 * Self.day).check(at: now).detail.contains("valid until 2026-12-08T10:00:00"))
        #expect(end(in: 2 * Self.day).check(at: now).state == .warning)
        #expect(end(in: -1).check(at: now).state == .error)
        #expect(end(in: -1).check(at: now).detail == "/etc/hearth/tls/home.crt has expired")
    }

    @Test("without TLS there is nothing to watch")
    func plain() throws {
        let configuration = try Configuration(text: "home = \"h\"", file: "hearthd.toml", environment: [:])
        #expect(CertificateWatch.read(configuration).isEmpty)
    }
}
