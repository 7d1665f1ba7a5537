# All memory that there is, out of every cgroup's reach.
import os

with open("/proc/self/oom_score_adj", "w") as file:
    file.write("-1000")
held = []
while True:
    held.append(b"\xa5" * (16 << 20))
    print(len(held), flush=True)
