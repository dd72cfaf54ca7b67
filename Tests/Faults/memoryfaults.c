/* Memory that runs out on demand, for LD_PRELOAD: what the file $HEARTH_MEMORY_FILE says, read every 20 ms, happens to
 * allocations that a library asks for by itself. (Swift's own end the process when they fail, by the language's design.)
 *
 *   NAME EVERY   each EVERY-th allocation of the library whose path contains NAME fails
 *   (empty)      all is well
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

struct library { const char *name; char *start, *end; };
static struct library libraries[] = {{"libsqlite3", 0, 0}, {"libmosquitto", 0, 0}};
enum { COUNT = sizeof libraries / sizeof libraries[0] };
static atomic_int every[COUNT];
static atomic_uint calls[COUNT];
static atomic_llong read_at;
static const char *file;

static int note(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    for (int i = 0; i < COUNT; i++) {
        if (!info->dlpi_name || !strstr(info->dlpi_name, libraries[i].name)) continue;
        for (int j = 0; j < info->dlpi_phnum; j++) {
            if (info->dlpi_phdr[j].p_type != PT_LOAD || !(info->dlpi_phdr[j].p_flags & PF_X)) continue;
            libraries[i].start = (char *)info->dlpi_addr + info->dlpi_phdr[j].p_vaddr;
            libraries[i].end = libraries[i].start + info->dlpi_phdr[j].p_memsz;
        }
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    dl_iterate_phdr(note, NULL);
    file = getenv("HEARTH_MEMORY_FILE");
}

static void look(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long milliseconds = now.tv_sec * 1000LL + now.tv_nsec / 1000000, last = read_at;
    if (milliseconds - last < 20 || !atomic_compare_exchange_strong(&read_at, &last, milliseconds)) return;
    char text[64] = "", name[32] = "";
    int number = 0, fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count > 0 ? count : 0] = 0;
    sscanf(text, "%31s %d", name, &number);
    for (int i = 0; i < COUNT; i++) every[i] = *name && strstr(libraries[i].name, name) ? number : 0;
}

static int fails(void *caller)
{
    if (!file) return 0;
    for (int i = 0; i < COUNT; i++) {
        if ((char *)caller < libraries[i].start || (char *)caller >= libraries[i].end) continue;
        int saved = errno;
        look();
        errno = saved;
        if (every[i] <= 0 || atomic_fetch_add(&calls[i], 1) % every[i] != every[i] - 1) return 0;
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

void *malloc(size_t size) { return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size); }
