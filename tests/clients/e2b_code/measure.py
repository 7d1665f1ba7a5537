"""How long E2B's client waits for code: measure.py [COUNT], against the service of `E2B_API_URL` and `E2B_SANDBOX_URL`.

A sandbox is asked for, and `run_code("1+1")` in it; then the same again. A pool of the image is the service's to have.
"""

import statistics
import sys
import time

from e2b_code_interpreter import Sandbox

# How long a pool has to fill again between two.
PAUSE_SECONDS = 3


def once():
    began = time.monotonic()
    with Sandbox.create(timeout=60) as sandbox:
        created = time.monotonic()
        assert sandbox.run_code("1+1").text == "2"
        first = time.monotonic()
        sandbox.run_code("1+1")
        return created - began, first - began, time.monotonic() - first


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    figures = []
    for _ in range(count):
        time.sleep(PAUSE_SECONDS)
        figures.append(once())
    for name, row in zip(["create", "create to the first result", "a further cell"], zip(*figures)):
        print(f"{name}: median {statistics.median(row) * 1000:.0f} ms, {min(row) * 1000:.0f} to {max(row) * 1000:.0f}")


main()
