import Compression
import Heating

/// The page's files, `Page/` in the source tree. They are part of the program (`.embedInCode` in Package.swift): nothing is
/// read from disk and nothing is fetched from elsewhere.
enum Page {
    struct File: Sendable {
        var bytes: [UInt8]
        var type: String

        var text: String { String(decoding: bytes, as: UTF8.self) }

        /// For who takes it so; a quarter of a text's size. Nil for what is packed already.
        let packed: [UInt8]?

        fileprivate init(bytes: [UInt8], type: String) {
            (self.bytes, self.type) = (bytes, type)
            packed = type.hasPrefix("text/") ? FrameCompression.zlib.compress(bytes) : nil
        }

        fileprivate static func script(_ bytes: [UInt8]) -> File {
            File(bytes: bytes, type: "text/javascript; charset=utf-8")
        }
    }

    /// By the address that each is served at; the document itself is ``html(token:)``.
    static let files: [String: File] = [  // Own names: paths.
        "/page.css": File(bytes: PackageResources.page_css, type: "text/css; charset=utf-8"),
        "/icon.svg": File(bytes: PackageResources.icon_svg, type: "image/svg+xml"),
        "/icon-180.png": File(bytes: PackageResources.icon_180_png, type: "image/png"),
        "/icon-512.png": File(bytes: PackageResources.icon_512_png, type: "image/png"),
        "/manifest.webmanifest": File(
            bytes: PackageResources.manifest_webmanifest, type: "application/manifest+json"),
        "/app.js": .script(PackageResources.app_js),
        "/state.js": .script(PackageResources.state_js),
        "/words.js": .script(PackageResources.words_js),
        "/words.de.js": .script(PackageResources.words_de_js),
        "/words.es.js": .script(PackageResources.words_es_js),
        "/words.ca.js": .script(PackageResources.words_ca_js),
        "/said.de.js": .script(PackageResources.said_de_js),
        "/said.es.js": .script(PackageResources.said_es_js),
        "/said.ca.js": .script(PackageResources.said_ca_js),
        "/rooms.js": .script(PackageResources.rooms_js),
        "/controls.js": .script(PackageResources.controls_js),
        "/dial.js": .script(PackageResources.dial_js),
        "/settings.js": .script(PackageResources.settings_js),
        "/week.js": .script(PackageResources.week_js),
        "/charts.js": .script(PackageResources.charts_js),
        "/chart.js": .script(PackageResources.chart_js),
        "/summary.js": .script(PackageResources.summary_js),
        "/box.js": .script(PackageResources.box_js),
        "/found.js": .script(PackageResources.found_js),
    ]

    /// - Parameter token: what the page sends with each change; hexadecimal digits.
    static func html(token: String) -> String {
        String(decoding: PackageResources.page_html, as: UTF8.self).replacing("@TOKEN@", with: token)
    }
}
