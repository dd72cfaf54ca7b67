import CPage
import Compression
import Heating

/// The page's files, `Page/` in the source tree. They are part of the program (`CPage`): nothing is read from disk and nothing is
/// fetched from elsewhere.
enum Page {
    /// Its bytes stay where they are in the program's file, and are no memory of this process's own.
    struct File: Sendable {
        var type: String
        /// Never changed, and there as long as the process.
        private nonisolated(unsafe) let stored: UnsafeBufferPointer<UInt8>

        var bytes: [UInt8] { Array(stored) }

        var text: String { String(decoding: stored, as: UTF8.self) }

        /// For who takes it so; a quarter of a text's size. Nil for what is packed already.
        let packed: [UInt8]?

        fileprivate init(_ file: hearth_page_file, type: String) {
            self.type = type
            stored = UnsafeBufferPointer(start: file.bytes, count: file.size)
            packed = type.hasPrefix("text/") ? FrameCompression.zlib.compress(Array(stored)) : nil
        }

        fileprivate static func script(_ file: hearth_page_file) -> File {
            File(file, type: "text/javascript; charset=utf-8")
        }
    }

    /// By the address that each is served at; the document itself is ``html(token:)``.
    static let files: [String: File] = [  // Own names: paths.
        "/page.css": File(hearth_page_css(), type: "text/css; charset=utf-8"),
        "/icon.svg": File(hearth_icon_svg(), type: "image/svg+xml"),
        "/icon-180.png": File(hearth_icon_180_png(), type: "image/png"),
        "/icon-512.png": File(hearth_icon_512_png(), type: "image/png"),
        "/manifest.webmanifest": File(hearth_manifest_webmanifest(), type: "application/manifest+json"),
        "/app.js": .script(hearth_app_js()),
        "/state.js": .script(hearth_state_js()),
        "/words.js": .script(hearth_words_js()),
        "/words.de.js": .script(hearth_words_de_js()),
        "/words.es.js": .script(hearth_words_es_js()),
        "/words.ca.js": .script(hearth_words_ca_js()),
        "/said.de.js": .script(hearth_said_de_js()),
        "/said.es.js": .script(hearth_said_es_js()),
        "/said.ca.js": .script(hearth_said_ca_js()),
        "/rooms.js": .script(hearth_rooms_js()),
        "/controls.js": .script(hearth_controls_js()),
        "/dial.js": .script(hearth_dial_js()),
        "/settings.js": .script(hearth_settings_js()),
        "/week.js": .script(hearth_week_js()),
        "/charts.js": .script(hearth_charts_js()),
        "/chart.js": .script(hearth_chart_js()),
        "/summary.js": .script(hearth_summary_js()),
        "/box.js": .script(hearth_box_js()),
        "/found.js": .script(hearth_found_js()),
    ]

    /// - Parameter token: what the page sends with each change; hexadecimal digits.
    static func html(token: String) -> String {
        document.replacing("@TOKEN@", with: token)
    }

    private static let document = File(hearth_page_html(), type: "text/html; charset=utf-8").text
}
