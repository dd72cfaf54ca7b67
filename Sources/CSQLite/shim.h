#ifndef HEARTH_CSQLITE_SHIM_H
#define HEARTH_CSQLITE_SHIM_H

#include <sqlite3.h>
#include <stddef.h>
#include <sys/vfs.h>

// sqlite3_db_config is variadic, which Swift cannot call. The only option needed here: leave the write-ahead log
// as it is when the connection closes (checkpoints are explicit, and a file that is not ours stays untouched).
static inline int hearth_sqlite_no_checkpoint_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

// statfs(2) is not part of Swift's Glibc module. The magic number of the file system that holds a path, 0 if unknown:
// some file systems cannot keep what SQLite is told about them.
static inline long hearth_file_system_type(const char *path) {
    struct statfs information;
    return statfs(path, &information) == 0 ? (long)information.f_type : 0;
}

#endif
