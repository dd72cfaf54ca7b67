/* Deaths and clocks on demand, for LD_PRELOAD into a program of the house.
 *
 *   HEARTH_FAILPOINT=NAME:N   kill -9 of the process at the N-th occurrence of NAME:
 *     before-log-write after-log-write torn-log-write   a write into an SQLite log (-wal)
 *     before-log-sync after-log-sync                    its fsync: the commit
 *     before-page-write after-page-write                a write into the database: a checkpoint
 *     before-page-sync after-page-sync
 *     before-ack after-ack                              a PUBACK to a broker
 *     before-publish after-publish                      a PUBLISH to a broker
 *     before-post after-post                            an HTTP request
 *   HEARTH_CLOCK_FILE=PATH    seconds to add to the wall clock, read every 20 ms
 *   HEARTH_RESOLVER_FILE=PATH what happens to "localhost": "fail" (for now), "unknown" (for good), "slow MS", "wrong" (an address
 *                             where nobody is)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static char wanted[64];
static atomic_int remaining = -1;

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("HEARTH_FAILPOINT");
    int count = 1;
    if (text && sscanf(text, "%63[^:]:%d", wanted, &count) >= 1) remaining = count;
}

static int is_wanted(const char *moment, const char *what)
{
    size_t length = strlen(moment);
    return remaining > 0 && strncmp(wanted, moment, length) == 0 && wanted[length] == '-' &&
        strcmp(wanted + length + 1, what) == 0 && atomic_fetch_sub(&remaining, 1) == 1;
}

static void die_if(const char *moment, const char *what)
{
    if (what && is_wanted(moment, what)) kill(getpid(), SIGKILL);
}

/* What a write to this descriptor is: log-write, page-write or nothing. */
static const char *file_event(int fd, const char *log, const char *page)
{
    char link[64], path[512];
    if (remaining <= 0) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    const char *at = strstr(path, ".sqlite");
    if (!at) return NULL;
    return strcmp(at, ".sqlite-wal") == 0 ? log : at[7] == 0 ? page : NULL;
}

static const char *socket_event(const void *bytes, size_t count)
{
    const unsigned char *first = bytes;
    if (remaining <= 0 || count < 4) return NULL;
    if (memcmp(first, "POST", 4) == 0) return "post";
    if (first[0] == 0x40) return "ack";
    return first[0] >> 4 == 3 && (first[0] & 6) == 2 ? "publish" : NULL;
}

static ssize_t torn(int fd, const void *bytes, size_t count, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (is_wanted("torn", "log-write")) {
        real(fd, bytes, count / 2, offset);
        kill(getpid(), SIGKILL);
    }
    return 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    const char *event = file_event(fd, "log-write", "page-write");
    die_if("before", event);
    if (event && event[0] == 'l') torn(fd, bytes, count, offset);
    ssize_t result = real(fd, bytes, count, offset);
    die_if("after", event);
    return result;
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    const char *event = file_event(fd, "log-sync", "page-sync");
    die_if("before", event);
    int result = real(fd);
    die_if("after", event);
    return result;
}

int fsync(int fd)
{
    REAL(int, "fsync", int);
    const char *event = file_event(fd, "log-sync", "page-sync");
    die_if("before", event);
    int result = real(fd);
    die_if("after", event);
    return result;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
    REAL(ssize_t, "send", int, const void *, size_t, int);
    const char *event = socket_event(bytes, count);
    die_if("before", event);
    ssize_t result = real(fd, bytes, count, flags);
    die_if("after", event);
    return result;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    const char *event = fd > 2 ? socket_event(bytes, count) : NULL;
    die_if("before", event);
    ssize_t result = real(fd, bytes, count);
    die_if("after", event);
    return result;
}

/* --- the wall clock --- */

static int real_clock(clockid_t clock, struct timespec *time)
{
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    return real(clock, time);
}

static long long offset(void)
{
    static atomic_llong value, read_at;
    static const char *name;
    struct timespec now;
    if (!name) name = getenv("HEARTH_CLOCK_FILE") ? getenv("HEARTH_CLOCK_FILE") : "";
    if (!*name) return 0;
    real_clock(CLOCK_MONOTONIC, &now);
    long long milliseconds = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    if (milliseconds - read_at >= 20) {
        char text[32] = "";
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t count = read(fd, text, sizeof text - 1);
            text[count > 0 ? count : 0] = 0;
            close(fd);
            value = atoll(text);
        }
        read_at = milliseconds;
    }
    return value;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = real_clock(clock, time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}

/* --- the resolver --- */

int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict result)
{
    REAL(int, "getaddrinfo", const char *, const char *, const struct addrinfo *, struct addrinfo **);
    char text[32] = "";
    int milliseconds;
    const char *name = getenv("HEARTH_RESOLVER_FILE");
    int fd = name && node && strcmp(node, "localhost") == 0 ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t count = read(fd, text, sizeof text - 1);
        text[count > 0 ? count : 0] = 0;
        close(fd);
    }
    if (strcmp(text, "fail") == 0) return EAI_AGAIN;
    if (strcmp(text, "unknown") == 0) return EAI_NONAME;
    if (strcmp(text, "wrong") == 0) return real("127.1.2.3", service, hints, result);
    if (sscanf(text, "slow %d", &milliseconds) == 1) usleep(milliseconds * 1000);
    return real(node, service, hints, result);
}
