# A program sets what flags it can of its processor's, and goes on to a call, a fault and an exception: single steps,
# alignment checks and nested tasks are its own affair, interrupts and port I/O none of its.
from attack import breach_if, in_child, machine_code

FLAGS = {"single step": 8, "interrupts off": -9, "port I/O": 12, "port I/O, both bits": 13, "nested task": 14, "resume": 16, "alignment check": 18}
THEN = {
    "nothing": "90",
    "a call": "b8270000000f05",  # mov eax, 39; syscall
    "a call of 32 bits": "b827000000cd80",
    "a fault": "31c0488b00",  # xor eax, eax; mov rax, [rax]
    "an exception": "0f0b",  # ud2
}
# pushfq; or or and qword [rsp], MASK; popfq; …; pushfq; pop rax; ret
OR, AND = "9c48810c24", "9c48812424"


def flags(bit, then):
    change = OR + (1 << bit).to_bytes(4, "little").hex() if bit > 0 else AND + (0x7FFFFFFF & ~(1 << -bit)).to_bytes(4, "little").hex()
    seen = machine_code(change + "9d" + then + "9c58c3")()
    breach_if("port I/O is open", seen >> 12 & 3 != 0, hex(seen))
    breach_if("interrupts are off", not seen >> 9 & 1, hex(seen))
    return hex(seen)


for name, bit in FLAGS.items():
    for then, text in THEN.items():
        in_child(f"{name}, then {then}", flags, bit, text)
print("tried them all")
