"""A program in a VM of its own: input, files, arguments, what it leaves, and how it may end."""

from llm_firecracker import Client

with Client() as client:
    result = client.run(
        """
import os, sys
numbers = [int(line) for line in open("numbers.txt")]
print("sum", sum(numbers), "of", sys.argv[1])
os.makedirs("out")
open("out/report.txt", "w").write(f"{max(numbers)} is the most\\n")
""",
        "python",
        args=["three"],
        files={"numbers.txt": "1\n2\n39\n"},
        timeout=10,
    )
    print(result.status, result.exit_code, result.stdout, end="")
    print(result.artifacts[0].name, result.artifacts[0].content)

    failed = client.run("raise ValueError('no')", "python")
    print(failed.status, failed.exit_code, failed.stderr.splitlines()[-1])

    endless = client.run("while true; do :; done", "bash", timeout=1)
    print(endless.status, endless.limit.name if endless.limit else None)

# prints:
# ok 0 sum 42 of three
# report.txt b'39 is the most\n'
# error 1 ValueError: no
# timeout wall_time
