# What no segment register, and no base of one, may be: a kernel that restores it must end the process alone.
import ctypes
from attack import in_child, libc, machine_code

REGISTERS = {"es": "8ec0", "ss": "8ed0", "ds": "8ed8", "fs": "8ee0", "gs": "8ee8"}
SELECTORS = (0x4, 0x10, 0x23, 0x28, 0x33, 0xFFFF)
BASES = (8, 0x7FFFFFFFD000, 1 << 47, -4096)
ARCH_SET = {"fs": 0x1002, "gs": 0x1001}


def and_go_on(act, *args):
    got = act(*args)
    # Calls and faults, each of which saves and restores all of it.
    libc.getppid()
    bytearray(8 << 20)
    return got


def by_call(name, base):
    return libc.syscall(*(ctypes.c_long(word) for word in (158, ARCH_SET[name], base)))


for name, instruction in REGISTERS.items():
    for selector in SELECTORS:
        # mov eax, SELECTOR; mov SEGMENT, eax; xor eax, eax; ret
        load = machine_code("b8" + selector.to_bytes(4, "little").hex() + instruction + "31c0c3")
        in_child(f"{name} = {selector:#x}", and_go_on, load)
for name, instruction in {"fs": "d0", "gs": "d8"}.items():
    for base in BASES:
        word = (base % (1 << 64)).to_bytes(8, "little").hex()
        in_child(f"{name}'s base = {base:#x}, by call", and_go_on, by_call, name, base)
        # mov rax, BASE; wrfsbase or wrgsbase rax; xor eax, eax; ret
        load = machine_code("48b8" + word + "f3480fae" + instruction + "31c0c3")
        in_child(f"{name}'s base = {base:#x}, by instruction", and_go_on, load)
print("tried them all")
