"""Output as it comes. Who leaves the `with` early ends the program, and its VM."""

from llm_firecracker import Client, JobOutput, RunResult

COUNT = """
import itertools, time
for n in itertools.count():
    print(n, flush=True)
    time.sleep(0.1)
"""

with Client() as client:
    for event in client.stream("echo one; sleep 0.2; echo two >&2", "bash"):
        if isinstance(event, JobOutput):
            print(event.stream, event.data, end="")
        elif isinstance(event, RunResult):
            print("ended:", event.status)

    seen = ""
    with client.stream(COUNT, "python") as events:
        for event in events:
            seen += event.data if isinstance(event, JobOutput) else ""
            if "3\n" in seen:
                break
    print("left after", seen.split())

# prints:
# stdout one
# stderr two
# ended: ok
# left after ['0', '1', '2', '3']
