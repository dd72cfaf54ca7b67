#ifndef HEARTH_CPAGE_H
#define HEARTH_CPAGE_H

#include <stddef.h>

// The page's files, Sources/HomePage/Page/, as parts of the program. In C, because an array literal of so many bytes
// keeps the Swift compiler busy for a minute (https://github.com/swiftlang/swift-package-manager/issues/6923).
// A new file needs a line here, its bytes in page.c, and its address in Sources/HomePage/Page.swift.

// A file's bytes; they last as long as the process.
struct hearth_page_file {
    const unsigned char *bytes;
    size_t size;
};

struct hearth_page_file hearth_page_html(void);
struct hearth_page_file hearth_page_css(void);
struct hearth_page_file hearth_icon_svg(void);
struct hearth_page_file hearth_icon_180_png(void);
struct hearth_page_file hearth_icon_512_png(void);
struct hearth_page_file hearth_manifest_webmanifest(void);
struct hearth_page_file hearth_app_js(void);
struct hearth_page_file hearth_state_js(void);
struct hearth_page_file hearth_words_js(void);
struct hearth_page_file hearth_words_de_js(void);
struct hearth_page_file hearth_words_es_js(void);
struct hearth_page_file hearth_words_ca_js(void);
struct hearth_page_file hearth_said_de_js(void);
struct hearth_page_file hearth_said_es_js(void);
struct hearth_page_file hearth_said_ca_js(void);
struct hearth_page_file hearth_rooms_js(void);
struct hearth_page_file hearth_controls_js(void);
struct hearth_page_file hearth_dial_js(void);
struct hearth_page_file hearth_settings_js(void);
struct hearth_page_file hearth_week_js(void);
struct hearth_page_file hearth_charts_js(void);
struct hearth_page_file hearth_chart_js(void);
struct hearth_page_file hearth_summary_js(void);
struct hearth_page_file hearth_box_js(void);
struct hearth_page_file hearth_found_js(void);

#endif
