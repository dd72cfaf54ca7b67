/* Disk faults on demand, for LD_PRELOAD: what the file $HEARTH_FAULT_FILE says happens to writes and syncs of files
 * whose path contains "journal.sqlite" or "settings.toml".
 *
 *   stall MS    every sync takes that long
 *   eio         writes and syncs fail with EIO
 *   enospc      writes fail with ENOSPC
 *   (empty)     all is well
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int is_ours(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strstr(path, "journal.sqlite") != NULL || strstr(path, "settings.toml") != NULL;
}

static void wanted(char *fault, size_t size)
{
    fault[0] = 0;
    const char *name = getenv("HEARTH_FAULT_FILE");
    if (!name) return;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t count = read(fd, fault, size - 1);
    fault[count > 0 ? count : 0] = 0;
    close(fd);
}

/* 0: go on; otherwise errno is set and the call fails. */
static int sync_fault(int fd)
{
    char fault[64];
    int milliseconds;
    if (!is_ours(fd)) return 0;
    wanted(fault, sizeof fault);
    if (sscanf(fault, "stall %d", &milliseconds) == 1) {
        /* In small steps, so that taking the fault away ends the stall. */
        for (int waited = 0; waited < milliseconds; waited += 10) {
            struct timespec step = {0, 10000000};
            nanosleep(&step, NULL);
            wanted(fault, sizeof fault);
            if (strncmp(fault, "stall", 5) != 0) break;
        }
        return 0;
    }
    if (strncmp(fault, "eio", 3) == 0) { errno = EIO; return -1; }
    return 0;
}

static int write_fault(int fd)
{
    char fault[64];
    if (!is_ours(fd)) return 0;
    wanted(fault, sizeof fault);
    if (strncmp(fault, "eio", 3) == 0) { errno = EIO; return -1; }
    if (strncmp(fault, "enospc", 6) == 0) { errno = ENOSPC; return -1; }
    return 0;
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return sync_fault(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    return sync_fault(fd) ? -1 : real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return write_fault(fd) ? -1 : real(fd, bytes, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return write_fault(fd) ? -1 : real(fd, bytes, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    return fd > 2 && write_fault(fd) ? -1 : real(fd, bytes, count);
}
