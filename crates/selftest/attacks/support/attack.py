"""Comes with every attack in Python: tries what must not work and says what came of it.

A line that starts with BREACH is for the harness: a wall inside the guest gave way. One that starts with
BREACH OF HOST counts for root as well, who has no walls inside.
"""
import ctypes
import errno
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def syscall(number, *args):
    """The system call itself, past every wrapper."""
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attempt(what, act, *args):
    """Does what must be refused."""
    try:
        got = act(*args)
    except OSError as error:
        print(f"refused {what}: {errno.errorcode.get(error.errno, error)}", flush=True)
        return False
    except (ValueError, RuntimeError) as error:
        print(f"refused {what}: {error}", flush=True)
        return False
    print(f"BREACH: {what}: {got!r}", flush=True)
    return True


def breach_if(what, holds, seen=""):
    """Says whether something that must not hold does."""
    print(f"BREACH: {what}: {seen!r}" if holds else f"held {what}", flush=True)


def host_if(what, holds, seen=""):
    """The same for what not even root in the guest may find or do."""
    print(f"BREACH OF HOST: {what}: {seen!r}" if holds else f"held {what}", flush=True)


def kernel_word(name, otherwise):
    """What root can read of the kernel's command line after NAME=."""
    words = (word.partition("=") for word in open("/proc/cmdline").read().split())
    return next((value for key, _, value in words if key == name), otherwise)


def can_write(path):
    """Opens a file for writing, without writing."""
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    return path


pages = []


def machine_code(text, arguments=0):
    """A function of these instructions, in hexadecimal; takes and returns whole registers."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # A page that nobody holds is unmapped.
    pages.append(page)
    page.write(bytes.fromhex(text))
    kind = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * arguments)
    return kind(ctypes.addressof(ctypes.c_char.from_buffer(page)))


def in_child(what, act, *args):
    """Does what may end the process that does it, in one of its own; says how that ended, and returns it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            got = act(*args)
            print(f"  {what}: came back with {got!r}", flush=True)
            code = 0
        except OSError as error:
            print(f"  {what}: {error}", flush=True)
        finally:
            os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(f"tried {what}: ended with {status}", flush=True)
    return status
