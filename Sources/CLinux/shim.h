#ifndef HEARTH_CLINUX_SHIM_H
#define HEARTH_CLINUX_SHIM_H

#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

// The calling process is killed as soon as the thread that started it ends, also while it is stopped: prctl(2).
static inline int linux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

// The child has no descriptor from this one on. Since glibc 2.34; hidden where _DEFAULT_SOURCE is not defined.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

// The name that this program was executed by: getauxval(3). NULL when unknown.
static inline const char *linux_program_name(void) { return (const char *)getauxval(AT_EXECFN); }

#endif
