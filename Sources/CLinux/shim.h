#ifndef HEARTH_CLINUX_SHIM_H
#define HEARTH_CLINUX_SHIM_H

// Declared by hand and without the system's headers: a type that this module saw first, such as sigset_t, would be its own
// in Swift's eyes, and every file that uses one would have to import this module.
int prctl(int option, ...);
unsigned long getauxval(unsigned long type);

// The calling process is killed as soon as the thread that started it ends, also while it is stopped: prctl(2).
static inline int linux_die_with_parent(void) { return prctl(1 /* PR_SET_PDEATHSIG */, 9UL /* SIGKILL */); }

// The name that this program was executed by: getauxval(3). NULL when unknown.
static inline const char *linux_program_name(void) { return (const char *)getauxval(31 /* AT_EXECFN */); }

// The child has no descriptor from this one on. `actions` is a posix_spawn_file_actions_t *. Since glibc 2.34.
int linux_spawn_close_from(void *actions, int first) __asm__("posix_spawn_file_actions_addclosefrom_np");

#endif
