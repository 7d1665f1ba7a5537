"""Many sandboxes of E2B's client at one time: `crowd.py [N]`, against E2B_API_URL and E2B_SANDBOX_URL. All are there before
the first ends; each runs commands, keeps a file and has a process in the background. Prints how long it took; what fails is
told, and the exit code is 1."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from e2b import Sandbox


def one(number, all_there):
    sandbox = Sandbox.create("base", timeout=300)
    try:
        sandbox.files.write("number", str(number))
        server = sandbox.commands.run("exec sleep 200", background=True)
        all_there.wait(timeout=240)
        assert sandbox.files.read("number") == str(number)
        code = "import hashlib; print(int(open('number').read()) * 2, hashlib.sha256(bytes(1 << 20)).hexdigest()[:4])"
        # As many at once as there are CPUs is this machine's; how long a command waits for its turn is not the question.
        assert sandbox.commands.run(f'python3 -c "{code}"', timeout=120).stdout == f"{number * 2} 30e1\n"
        assert server.pid in [process.pid for process in sandbox.commands.list()]
    finally:
        sandbox.kill()


def main(count):
    all_there = threading.Barrier(count)
    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        failures = [failed for failed in pool.map(lambda number: attempt(number, all_there), range(count)) if failed]
    print(*failures, sep="\n", file=sys.stderr)
    print(f"{count - len(failures)} of {count} sandboxes, at one time, in {time.monotonic() - began:.1f} s")
    sys.exit(bool(failures))


def attempt(number, all_there):
    try:
        return one(number, all_there)
    except Exception as error:  # Each of them counts, and none ends the others.
        all_there.abort()
        return f"sandbox {number}: {type(error).__name__}: {error}"


main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
