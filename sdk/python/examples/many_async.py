"""The same with `async`: programs and commands beside each other, and a time limit of the caller's own."""

import asyncio

from llm_firecracker import AsyncClient


async def main() -> None:
    async with AsyncClient() as client:
        squares = await asyncio.gather(*(client.run(f"print({n} ** 2)", "python") for n in range(3)))
        print([result.stdout.strip() for result in squares])

        async with client.sandbox("bash") as sandbox:
            try:
                async with asyncio.timeout(1):
                    await sandbox.commands.run("echo kept > /work/kept; sleep 60")
            except TimeoutError:
                print("cancelled; its files:", await sandbox.files.read_text("/work/kept"), end="")

            async with sandbox.processes.stream("echo a; echo b") as events:
                print([type(event).__name__ async for event in events])


asyncio.run(main())

# prints:
# ['0', '1', '4']
# cancelled; its files: kept
# ['ProcessInfo', 'Output', 'Output', 'Exit']
