# A tracer decides what its child's registers are: here what no processor may be given, and what a kernel beneath
# could take for its own.
import ctypes
import os
import signal
from attack import syscall

TRACEME, PEEK, POKE, POKEUSER, CONT, SINGLESTEP, GETREGS, SETREGS = 0, 1, 4, 6, 7, 9, 12, 13
SYSEMU, SYSEMU_STEP, SETREGSET, XSTATE = 31, 32, 0x4205, 0x202
NAMES = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs".split()
KERNEL, STUB, NOWHERE = 0xFFFF800000000000, 0x7FFFFFFFC000, 1 << 47
VSYSCALL = 0xFFFFFFFFFF600000
SELECTORS, PLACES = (0x10, 0x23, 0x28, 0xFFFB, 0), (STUB, VSYSCALL, KERNEL, NOWHERE)
WILD = {
    "code": [("cs", value) for value in SELECTORS],
    "segments": [(name, value) for name in ("ss", "ds", "es", "fs", "gs") for value in SELECTORS],
    "bases": [(name, value) for name in ("fs_base", "gs_base") for value in PLACES],
    "places": [(name, value) for name in ("rip", "rsp") for value in PLACES],
    "flags": [("eflags", 0xFFFFFFFF), ("orig_rax", 62), ("orig_rax", 1 << 63), ("rax", (1 << 64) - 512)],
}
DEBUG = 848  # offsetof(struct user, u_debugreg)


def traced():
    pid = os.fork()
    if pid == 0:
        try:
            syscall(101, TRACEME, 0, 0, 0)
        except OSError:
            os._exit(98)
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(3):
            os.getppid()
        os._exit(97)
    if not os.WIFSTOPPED(os.waitpid(pid, 0)[1]):
        raise SystemExit("the child may not be traced")
    return pid


def ended(pid):
    """Lets it go on until it ends, a few stops later at most."""
    for _ in range(8):
        try:
            syscall(101, CONT, pid, 0, 0)
        except OSError:
            break
        status = os.waitpid(pid, 0)[1]
        if not os.WIFSTOPPED(status):
            return status
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def child_with(name, value):
    pid = traced()
    words = (ctypes.c_uint64 * len(NAMES))()
    syscall(101, GETREGS, pid, 0, words)
    words[NAMES.index(name)] = value
    try:
        syscall(101, SETREGS, pid, 0, words)
    except OSError as error:
        print("  refused:", error.strerror)
    return ended(pid)


def child_by(*request):
    pid = traced()
    try:
        syscall(101, request[0], pid, *request[1:])
    except OSError as error:
        print("  refused:", error.strerror)
    return ended(pid)


def junk_state():
    pid = traced()
    state = ctypes.create_string_buffer(b"\xff" * 4096)
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(state), 4096)
    try:
        syscall(101, SETREGSET, pid, XSTATE, vector)
    except OSError as error:
        print("  refused:", error.strerror)
    return ended(pid)


PARTS = {
    "debug": [(POKEUSER, DEBUG + 8 * number, value) for number in range(8) for value in (KERNEL, STUB, 0xFFFFFFFF)],
    "memory": [(request, at, 0) for request in (PEEK, POKE) for at in (STUB, STUB + 4096, KERNEL, VSYSCALL)],
    "requests": [(request, 0, 0) for request in (SYSEMU, SYSEMU_STEP, SINGLESTEP)],
}
part = "@VALUE@"
print("tracing:", part, flush=True)
for name, value in WILD.get(part, ()):
    print(name, hex(value), "ended with", child_with(name, value), flush=True)
for request in PARTS.get(part, ()):
    print(request, "ended with", child_by(*request), flush=True)
if part == "state":
    print("junk in all vector registers, ended with", junk_state(), flush=True)
print("tried them all")
