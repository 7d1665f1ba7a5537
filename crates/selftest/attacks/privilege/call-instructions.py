# Every instruction that has made a system call since Linux began. The number asked for is getpid's or getuid's,
# whose answers tell which kernel gave them.
import ctypes
import mmap
import os
from attack import breach_if, in_child, machine_code

INT80, SYSCALL, SYSENTER = "cd80", "0f05", "0f34"
# By its 32-bit number, by its 64-bit one, and by x32's.
NUMBERS = {20: "getpid", 39: "getpid", 199: "getuid", 102: "getuid", 0x40000027: "getpid of x32"}
ANSWERS = {"getpid": os.getpid, "getuid": os.getuid, "getpid of x32": os.getpid}


def judge(what, number, got):
    # An error, or what this kernel says; zero is what some other calls of that number answer.
    own = ANSWERS[NUMBERS[number]]()
    breach_if(f"{what} of {number} answered by another kernel", 0 < got < 1 << 31 and got != own, (got, own))
    return got


def in_64_bits(door, number):
    # push rbx; push rbp; mov rbp, rsp; mov eax, NUMBER; zero edi, esi, edx; the door; cdqe; pop rbp; pop rbx; ret
    text = "53554889e5b8" + number.to_bytes(4, "little").hex() + "31ff31f631d2" + door + "48985d5bc3"
    return judge(f"{door} in 64 bits", number, machine_code(text)())


def in_32_bits(door, number):
    # A far return into 32-bit code on the same page, and a far jump back.
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, prot=7)
    base = ctypes.addressof(ctypes.c_char.from_buffer(page))
    word = lambda at: (base + at).to_bytes(4, "little").hex()
    enter = "5355415441554156415748892425" + word(0x800) + "bc" + word(0xF00) + "6a2368" + word(0x100) + "48cb"
    call = "b8" + number.to_bytes(4, "little").hex() + "31db31c931d231f631ff89e5" + door + "ea" + word(0x200) + "3300"
    leave = "488b2425" + word(0x800) + "415f415e415d415c5d5b4898c3"
    for at, text in ((0, enter), (0x100, call), (0x200, leave)):
        page.seek(at)
        page.write(bytes.fromhex(text))
    return judge(f"{door} in 32 bits", number, ctypes.CFUNCTYPE(ctypes.c_long)(base)())


def by_page(at):
    # The page of three calls at the top of the address space, which some kernels answer in its place.
    clock = (ctypes.c_long * 2)()
    call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)(0xFFFFFFFFFF600000 + at)
    return call(ctypes.addressof(clock), None), clock[0]


for number in NUMBERS:
    for door in (INT80, SYSENTER, SYSCALL):
        in_child(f"{door} in 64 bits, number {number}", in_64_bits, door, number)
        in_child(f"{door} in 32 bits, number {number}", in_32_bits, door, number)
for name, at in (("gettimeofday", 0), ("time", 0x400), ("getcpu", 0x800), ("nothing", 0xC00)):
    in_child(f"the vsyscall page's {name}", by_page, at)
print("tried them all")
