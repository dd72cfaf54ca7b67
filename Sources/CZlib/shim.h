// What Swift needs to call zlib. No pkg-config: on Debian header and library are in the compiler's default paths,
// and a host's -L flags would break cross builds.
#ifndef HEARTH_CZLIB_SHIM_H
#define HEARTH_CZLIB_SHIM_H

#include <string.h>
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros (they pass the header's version and the size of the structure), and
// Swift does not import function-like macros. 15 + 16 is zlib's way to ask for the largest window and a gzip
// wrapper (zlib.h, deflateInit2).

static inline int hearth_gzip_deflate_init(z_stream *stream, int level) {
    memset(stream, 0, sizeof *stream);
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

static inline int hearth_gzip_inflate_init(z_stream *stream) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, 15 + 16);
}

#endif
