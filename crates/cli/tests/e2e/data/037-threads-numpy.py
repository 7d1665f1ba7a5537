"""Work on blocks of an array in a thread pool and in plain threads; results do not depend on scheduling."""
import hashlib
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

data = np.random.default_rng(37).integers(0, 1_000, 800_000)
blocks = np.array_split(data, 8)


def describe(block):
    return int(block.sum()), int(block.max()), int(np.unique(block).size), hashlib.sha256(block.tobytes()).hexdigest()[:8]


with ThreadPoolExecutor(max_workers=4) as pool:
    for i, row in enumerate(pool.map(describe, blocks)):
        print(i, *row)
    merged = np.sort(np.concatenate(list(pool.map(np.sort, blocks))), kind="stable")
print("merged equals sorted:", np.array_equal(merged, np.sort(data)), "median:", float(np.median(merged)))

histogram, lock, jobs = np.zeros(10, dtype=np.int64), threading.Lock(), queue.Queue()


def worker():
    while (block := jobs.get()) is not None:
        local = np.bincount(block // 100, minlength=10)
        with lock:
            histogram[:] += local


threads = [threading.Thread(target=worker) for _ in range(3)]
for t in threads:
    t.start()
for job in [*blocks, None, None, None]:
    jobs.put(job)
for t in threads:
    t.join()
print("histogram:", histogram.tolist(), "total:", int(histogram.sum()))
