# All memory that there is, out of every cgroup's reach.
import mmap

MAP_POPULATE = 0x8000

with open("/proc/self/oom_score_adj", "w") as file:
    file.write("-1000")
held = []
while True:
    # Filled by the kernel: page by page it takes longer than there is time.
    held.append(mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_POPULATE))
    print(len(held), flush=True)
