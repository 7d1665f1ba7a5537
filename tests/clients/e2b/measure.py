"""How fast E2B's client is served: `measure.py [N]`, against E2B_API_URL and E2B_SANDBOX_URL. Prints the median and the
slowest of N sandboxes to their first result, and of as many commands in one sandbox."""

import statistics
import sys
import time

from e2b import Sandbox


def timed(action):
    began = time.perf_counter()
    result = action()
    return (time.perf_counter() - began) * 1000, result


def told(what, times):
    print(f"{what}: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms, of {len(times)}")


def main(count):
    def first_result():
        sandbox = Sandbox.create("base", timeout=60)
        assert sandbox.commands.run("echo hi").stdout == "hi\n"
        return sandbox

    created, first = [], []
    for _ in range(count):
        milliseconds, sandbox = timed(first_result)
        first.append(milliseconds)
        sandbox.kill()
        milliseconds, sandbox = timed(lambda: Sandbox.create("base", timeout=60))
        created.append(milliseconds)
        sandbox.kill()
    told("Sandbox.create()", created)
    told("Sandbox.create() to the first result", first)
    sandbox = Sandbox.create("base", timeout=60)
    sandbox.commands.run("true")
    told('commands.run("echo hi")', [timed(lambda: sandbox.commands.run("echo hi"))[0] for _ in range(count)])
    told("files.write and read of 1 KiB", [timed(lambda: (sandbox.files.write("a", "x" * 1024), sandbox.files.read("a")))[0] for _ in range(count)])
    sandbox.kill()


main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
