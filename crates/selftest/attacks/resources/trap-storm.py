# Exceptions as fast as they come: each stops a process, and its kernel has to look why.
import ctypes
import signal
import struct
from attack import in_child, libc, machine_code

ROUNDS = 3000
RIP = 168  # in the handler's third argument


def handler(skip):
    # add qword [rdx + RIP], SKIP; ret
    return machine_code("488382" + RIP.to_bytes(4, "little").hex() + f"{skip:02x}" + "c3")


def storm(name, number, instruction, skip):
    act = handler(skip)
    action = struct.pack("<Q128sQQ", ctypes.cast(act, ctypes.c_void_p).value, b"", 4, 0)
    libc.sigaction(number, action, None)
    length = len(instruction) // 2
    # mov ecx, ROUNDS; the instruction; dec ecx; jnz back; ret
    back = (256 - length - 4) % 256
    machine_code("b9" + ROUNDS.to_bytes(4, "little").hex() + instruction + "ffc9" + f"75{back:02x}" + "31c0c3")()
    print("came through", ROUNDS, name, flush=True)


storm("breakpoints", signal.SIGTRAP, "cc", 0)
storm("illegal instructions", signal.SIGILL, "0f0b", 2)
storm("faults", signal.SIGSEGV, "488b042500000000", 8)
storm("privileged instructions", signal.SIGSEGV, "f4", 1)
# xor eax, eax; div eax: 4 bytes, of which the second half fails.
storm("divisions by zero", signal.SIGFPE, "31c0f7f0", 2)


def single_steps():
    act = handler(0)
    action = struct.pack("<Q128sQQ", ctypes.cast(act, ctypes.c_void_p).value, b"", 4, 0)
    libc.sigaction(signal.SIGTRAP, action, None)
    # pushfq; or byte [rsp + 1], 1; popfq; 1,500 turns of two instructions; pushfq; and byte [rsp + 1], 0xfe; popfq
    machine_code("9c804c2401019d" + "b9dc050000" + "ffc975fc" + "9c80642401fe9d" + "31c0c3")()


# Not every kernel steps through a handler.
in_child("3,000 single steps", single_steps)
print("came through all")
