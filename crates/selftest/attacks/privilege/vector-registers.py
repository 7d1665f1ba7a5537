# Processes and threads that each hold a pattern of their own in all vector registers, and are interrupted by each
# other, by calls, faults and signals: whoever finds another pattern has read another's registers.
import ctypes
import mmap
import os
import signal
import threading
from attack import breach_if, machine_code

PROCESSES, THREADS, TURNS, ROUNDS = 4, 3, 6, 150
WIDE = " avx " in open("/proc/cpuinfo").read()
SIZE = 32 if WIDE else 16


def move(number, store):
    # vmovdqu or movdqu, between register NUMBER and [rdi + SIZE * NUMBER], or [rdx + …] to store.
    high = number >= 8
    start = ("c57e" if high else "c5fe") if WIDE else ("f3440f" if high else "f30f")
    address = 0x80 | number % 8 << 3 | (2 if store else 7)
    return start + ("7f" if store else "6f") + f"{address:02x}" + (SIZE * number).to_bytes(4, "little").hex()


# mov r8, rcx; load all; then RSI times: sched_yield, touch a new page of R8's; store all; xor eax, eax; ret
hold = machine_code(
    "4989c8"
    + "".join(move(n, False) for n in range(16))
    + "b8180000000f05" + "41c60001" + "4981c000100000" + "48ffce" + "75e9"
    + "".join(move(n, True) for n in range(16))
    + "31c0c3",
    4,
)


def turns(name):
    pattern = bytes([name]) * (16 * SIZE)
    held, seen = ctypes.create_string_buffer(pattern), ctypes.create_string_buffer(16 * SIZE)
    for _ in range(TURNS):
        pages = mmap.mmap(-1, ROUNDS * 4096)
        region = ctypes.c_char.from_buffer(pages)
        hold(ctypes.addressof(held), ROUNDS, ctypes.addressof(seen), ctypes.addressof(region))
        if seen.raw != pattern:
            others = sorted(set(seen.raw) - {name})
            breach_if(f"the registers of {name} hold another's", True, others)
        del region


def process(first):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
    threads = [threading.Thread(target=turns, args=(first + n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


children = []
for n in range(PROCESSES):
    pid = os.fork()
    if pid == 0:
        process(1 + n * THREADS)
        os._exit(0)
    children.append(pid)
ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
breach_if("a process did not come to its end", any(ends), ends)
print("held", PROCESSES * THREADS, "patterns in", SIZE, "bytes each")
