#!/usr/bin/env python3
"""Stops one thread of a process, and only that one, until killed: hold-thread.py PROCESS THREAD-NAME

A debugger's stop (ptrace(2)) freezes a lane as a deadlock or a hung disk would, with no test code in the program.
"""
import ctypes
import os
import signal
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WALL = 0x40000000

process, name = sys.argv[1:]
tasks = f"/proc/{process}/task"
threads = [t for t in os.listdir(tasks) if open(f"{tasks}/{t}/comm").read().strip() == name]
if len(threads) != 1:
    names = sorted(open(f"{tasks}/{t}/comm").read().strip() for t in os.listdir(tasks))
    sys.exit(f"{len(threads)} threads are called {name}; there are {names}")
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
    if libc.ptrace(request, int(threads[0]), None, None) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
print(f"holding {name}", flush=True)
signal.alarm(120)  # Never for ever, should nobody kill us.
# A killed process ends only when its tracer has seen the end of the thread it holds.
while True:
    _, status = os.waitpid(int(threads[0]), WALL)
    if not os.WIFSTOPPED(status):
        break
