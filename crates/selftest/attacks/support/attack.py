"""Comes with every attack in Python: tries what must not work and says what came of it.

A line that starts with BREACH is for the harness: a wall inside the guest gave way.
"""
import ctypes
import errno
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


def can_write(path):
    """Opens a file for writing, without writing."""
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    return path
