#include "CPage.h"

// https://en.cppreference.com/w/c/preprocessor/embed: Clang from 19 on, and so Swift's from 6.2 on.
#if !defined(__has_embed)
#error "this compiler has no #embed: build with the Clang that comes with Swift 6.2 or later"
#endif

// Of C23, which SwiftPM does not ask the compiler for.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define FILE_OF(name) \
    struct hearth_page_file hearth_##name(void) { return (struct hearth_page_file){name, sizeof name}; }

static const unsigned char page_html[] = {
#embed "../HomePage/Page/page.html"
};
FILE_OF(page_html)

static const unsigned char page_css[] = {
#embed "../HomePage/Page/page.css"
};
FILE_OF(page_css)

static const unsigned char icon_svg[] = {
#embed "../HomePage/Page/icon.svg"
};
FILE_OF(icon_svg)

static const unsigned char icon_180_png[] = {
#embed "../HomePage/Page/icon-180.png"
};
FILE_OF(icon_180_png)

static const unsigned char icon_512_png[] = {
#embed "../HomePage/Page/icon-512.png"
};
FILE_OF(icon_512_png)

static const unsigned char manifest_webmanifest[] = {
#embed "../HomePage/Page/manifest.webmanifest"
};
FILE_OF(manifest_webmanifest)

static const unsigned char app_js[] = {
#embed "../HomePage/Page/app.js"
};
FILE_OF(app_js)

static const unsigned char state_js[] = {
#embed "../HomePage/Page/state.js"
};
FILE_OF(state_js)

static const unsigned char words_js[] = {
#embed "../HomePage/Page/words.js"
};
FILE_OF(words_js)

static const unsigned char words_de_js[] = {
#embed "../HomePage/Page/words.de.js"
};
FILE_OF(words_de_js)

static const unsigned char words_es_js[] = {
#embed "../HomePage/Page/words.es.js"
};
FILE_OF(words_es_js)

static const unsigned char words_ca_js[] = {
#embed "../HomePage/Page/words.ca.js"
};
FILE_OF(words_ca_js)

static const unsigned char said_de_js[] = {
#embed "../HomePage/Page/said.de.js"
};
FILE_OF(said_de_js)

static const unsigned char said_es_js[] = {
#embed "../HomePage/Page/said.es.js"
};
FILE_OF(said_es_js)

static const unsigned char said_ca_js[] = {
#embed "../HomePage/Page/said.ca.js"
};
FILE_OF(said_ca_js)

static const unsigned char rooms_js[] = {
#embed "../HomePage/Page/rooms.js"
};
FILE_OF(rooms_js)

static const unsigned char controls_js[] = {
#embed "../HomePage/Page/controls.js"
};
FILE_OF(controls_js)

static const unsigned char dial_js[] = {
#embed "../HomePage/Page/dial.js"
};
FILE_OF(dial_js)

static const unsigned char settings_js[] = {
#embed "../HomePage/Page/settings.js"
};
FILE_OF(settings_js)

static const unsigned char week_js[] = {
#embed "../HomePage/Page/week.js"
};
FILE_OF(week_js)

static const unsigned char charts_js[] = {
#embed "../HomePage/Page/charts.js"
};
FILE_OF(charts_js)

static const unsigned char chart_js[] = {
#embed "../HomePage/Page/chart.js"
};
FILE_OF(chart_js)

static const unsigned char summary_js[] = {
#embed "../HomePage/Page/summary.js"
};
FILE_OF(summary_js)

static const unsigned char box_js[] = {
#embed "../HomePage/Page/box.js"
};
FILE_OF(box_js)

static const unsigned char found_js[] = {
#embed "../HomePage/Page/found.js"
};
FILE_OF(found_js)
