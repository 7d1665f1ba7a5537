"""Two halves of a test, between which the service is restarted: `before` pauses a sandbox and prints what it is known by,
`after` has it go on."""

import json
import sys
import time

from e2b import Sandbox
from e2b.sandbox.sandbox_api import SandboxQuery, SandboxState


def before(template):
    sandbox = Sandbox.create(template, timeout=600, metadata={"is": "kept"})
    sandbox.files.write("/home/user/kept.txt", "kept")
    command = sandbox.commands.run("while true; do date +%s > /tmp/now; sleep 0.1; done", background=True, timeout=0)
    sandbox.pause()
    print(json.dumps([sandbox.sandbox_id, command.pid]))


def after(sandbox_id, pid):
    paused = Sandbox.list(query=SandboxQuery(state=[SandboxState.PAUSED])).next_items()
    assert [(one.sandbox_id, one.metadata) for one in paused] == [(sandbox_id, {"is": "kept"})], paused
    sandbox = Sandbox.connect(sandbox_id, timeout=600)
    assert sandbox.files.read("/home/user/kept.txt") == "kept"
    assert int(pid) in {one.pid for one in sandbox.commands.list()}
    # It may not have come to its first line, and writes the next while it is read.
    deadline = time.monotonic() + 60
    while not sandbox.files.exists("/tmp/now") or abs(int(sandbox.files.read("/tmp/now") or 0) - time.time()) > 20:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    sandbox.kill()
    print("it went on")


{"before": before, "after": after}[sys.argv[1]](*sys.argv[2:])
