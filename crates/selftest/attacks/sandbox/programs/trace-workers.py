"""Traces and reads every process that is not its own: the workers on files begin as copies of the agent."""
import ctypes
import os
from attack import breach_if, syscall

PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
got = set()
local = ctypes.create_string_buffer(16)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(local), 16)
remote = (ctypes.c_uint64 * 2)(0x400000, 16)


def name(pid):
    try:
        return open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        return "one that is gone or not seen"


def take(pid):
    for what, act in (
        ("attach", lambda: syscall(101, PTRACE_ATTACH, pid, 0, 0)),
        ("seize", lambda: syscall(101, PTRACE_SEIZE, pid, 0, 0)),
        ("mem", lambda: open(f"/proc/{pid}/mem", "rb").close()),
        ("environ", lambda: open(f"/proc/{pid}/environ", "rb").read(1)),
        ("maps", lambda: open(f"/proc/{pid}/maps", "rb").read(1)),
        ("fd", lambda: os.listdir(f"/proc/{pid}/fd")),
        ("root", lambda: os.listdir(f"/proc/{pid}/root/")),
        ("readv", lambda: syscall(310, pid, vector, 1, remote, 1, 0)),
    ):
        before = name(pid)
        try:
            act()
        except OSError:
            continue
        # A program of its own user is no secret to it, except to trace it. One may be gone when it is asked again.
        names = {before, name(pid)}
        traces = what in ("attach", "seize")
        if (traces or not names & {"bash", "python3"}) and what not in got:
            got.add(what)
            breach_if(f"{what} of {pid}", True, names)


latest = os.getpid()
met = 0
print("looks", flush=True)
while True:
    # Not seen below /proc, but there; the next ones have the next numbers.
    for pid in range(latest + 1, latest + 200):
        try:
            os.kill(pid, 0)
        except OSError:
            continue
        latest = pid
        take(pid)
        met += 1
        if met == 5:
            print("met many", flush=True)
