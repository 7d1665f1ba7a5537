"""An asyncio pipeline: producer, transformers, collector; time-outs and cancellation."""
import asyncio
from contextlib import asynccontextmanager

events = []


@asynccontextmanager
async def stage(name: str):
    events.append(f"+{name}")
    try:
        yield
    finally:
        events.append(f"-{name}")


async def produce(out: asyncio.Queue):
    async with stage("produce"):
        for n in range(12):
            await out.put(n)
            await asyncio.sleep(0)
        await out.put(None)


async def square(inbox: asyncio.Queue, out: asyncio.Queue):
    async with stage("square"):
        while (n := await inbox.get()) is not None:
            await out.put(n * n)
        await out.put(None)


async def collect(inbox: asyncio.Queue):
    async with stage("collect"):
        return [n async for n in drain(inbox)]


async def drain(inbox: asyncio.Queue):
    while (n := await inbox.get()) is not None:
        yield n


async def stubborn(log: list):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        log.append("cleaned up")
        raise


async def main():
    first, second = asyncio.Queue(3), asyncio.Queue(3)
    async with asyncio.TaskGroup() as group:
        group.create_task(produce(first))
        group.create_task(square(first, second))
        collected = group.create_task(collect(second))
    print("squares:", collected.result(), "sum:", sum(collected.result()))
    print("stages:", sorted(events))

    log = []
    try:
        async with asyncio.timeout(0.05):
            await stubborn(log)
    except TimeoutError:
        print("timed out,", *log)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn(log))
            group.create_task(asyncio.to_thread(int, "x"))
    except* ValueError as group:
        print("failed:", [str(e) for e in group.exceptions], log)

    gate, limit, peak, now = asyncio.Event(), asyncio.Semaphore(2), 0, 0

    async def limited(i):
        nonlocal peak, now
        await gate.wait()
        async with limit:
            now += 1
            peak = max(peak, now)
            await asyncio.sleep(0.001)
            now -= 1
        return i

    jobs = [asyncio.create_task(limited(i)) for i in range(6)]
    gate.set()
    print("results:", await asyncio.gather(*jobs), "at once at most:", peak)


asyncio.run(main())
