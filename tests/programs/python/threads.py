"""Threads that share work through a queue, a lock, a barrier and a pool."""
import queue
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps


class Account:
    def __init__(self):
        self.balance, self.lock = 0, threading.Lock()

    def add(self, amount: int):
        with self.lock:
            self.balance += amount


tasks, results = queue.Queue(maxsize=4), queue.Queue()


def worker():
    while (n := tasks.get()) is not None:
        results.put((n, collatz(n)))


crew = [threading.Thread(target=worker, name=f"worker-{i}") for i in range(4)]
for thread in crew:
    thread.start()
for n in range(1, 41):
    tasks.put(n)
for _ in crew:
    tasks.put(None)
for thread in crew:
    thread.join()
found = dict(results.get_nowait() for _ in range(results.qsize()))
print("longest below 41:", max(found, key=lambda n: (found[n], -n)), "total steps:", sum(found.values()))

account = Account()
with ThreadPoolExecutor(max_workers=8) as pool:
    futures = [pool.submit(account.add, amount) for amount in range(500)]
    assert all(f.result() is None for f in as_completed(futures))
print("balance:", account.balance)

barrier = threading.Barrier(3, action=lambda: order.append("|"))
order = []


def stages(tag: str):
    for _ in range(2):
        order.append(tag)
        barrier.wait()


trio = [threading.Thread(target=stages, args=(tag,)) for tag in "abc"]
for thread in trio:
    thread.start()
for thread in trio:
    thread.join()
print(["".join(sorted(part)) for part in "".join(order).split("|")])

with ThreadPoolExecutor(3) as pool:
    try:
        list(pool.map(lambda n: 10 // n, [5, 2, 0]))
    except ZeroDivisionError as error:
        print("a worker failed:", error)
local = threading.local()
print("thread-local is empty elsewhere:", not hasattr(local, "x"), threading.active_count())
