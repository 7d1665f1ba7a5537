#!/usr/bin/env python3
"""What other people's clients wait for, beside what was asked for; two minutes alone on the machine.

    scripts/client-bars.py [RUNS]       20

Starts a service of its own on loopback for each, with real VMs; E2B's clients are those that scripts/test-clients.sh installs. Prints a
line for each figure with `held` or `NOT HELD`, and fails where one was not. The tool is LLM_FIRECRACKER_BIN
(target/release/llm-firecracker when absent), its images those of LLM_FIRECRACKER_STATE_DIR (/var/lib/llm-firecracker when absent).
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = os.environ.get("LLM_FIRECRACKER_BIN", str(ROOT / "target/release/llm-firecracker"))
IMAGES = pathlib.Path(os.environ.get("LLM_FIRECRACKER_STATE_DIR", "/var/lib/llm-firecracker")) / "images"
CLIENT = ROOT / "target/test-clients/e2b-code-2.11.5/bin/python"
# Of the service before it had doors for these clients (`bench http`, at the end of the stage before), bytes.
IDLE_BEFORE = 56.5 * (1 << 20)
# What a host of 8 GiB lets VMs have all together (85 %), MiB; each of 50 may grow to 512.
SMALL_HOST_MIB = 8 * 1024 * 85 // 100
CROWD = 50
ROOM = "[server.key_defaults]\nsessions = 64\nrequests_per_second = 500.0\nburst = 5000\n"
POOL = '[pool."python@python-data"]\nmin = 1\nmax = 2\nready_for = "sandboxes"\n'
FOR_A_CROWD = f"[admission]\nmemory_mib = {2 * CROWD * 1024}\n[vmm]\nall_memory_mib = {SMALL_HOST_MIB}\n[server.sessions]\nsessions = 64\n"


@contextlib.contextmanager
def service(config):
    """A service with this configuration; its address and process."""
    with tempfile.TemporaryDirectory(prefix="client-bars-") as folder:
        state = pathlib.Path(folder) / "state"
        state.mkdir()
        (state / "images").symlink_to(IMAGES.resolve())
        settings, log = pathlib.Path(folder) / "config.toml", pathlib.Path(folder) / "log"
        settings.write_text(config)
        command = [TOOL, "--state-dir", state, "--config", settings, "serve", "--listen", "127.0.0.1:0"]
        with open(log, "wb") as into:
            process = subprocess.Popen(command, stderr=into)
        try:
            yield address(process, log), process
        finally:
            process.terminate()
            process.wait(timeout=60)


def address(process, log):
    for _ in range(600):
        found = re.search(r"listening on (\S+)", log.read_text())
        if found:
            return f"http://{found[1]}"
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"the service did not start: {log.read_text()[-1000:]}")


def client(base, *command):
    """What E2B's client says of the service."""
    environment = os.environ | {"E2B_API_URL": base, "E2B_SANDBOX_URL": base, "E2B_API_KEY": "e2b_" + "0" * 40}
    done = subprocess.run([CLIENT, *command], env=environment, capture_output=True, text=True)
    sys.stderr.write(done.stderr)
    return done.returncode, done.stdout


def median_ms(said, name):
    found = re.search(rf"^{re.escape(name)}: median (\d+) ms", said, re.MULTILINE)
    return float(found[1]) if found else float("nan")


def judge(what, figure, bound, unit, words=""):
    held = figure <= bound
    print(f"{'held' if held else 'NOT HELD':9}{what}: {figure:.0f} {unit} (at most {bound:.0f}) {words}".rstrip(), flush=True)
    return held


def code(runs):
    measure = ROOT / "tests/clients/e2b_code/measure.py"
    with service(ROOM) as (base, _):
        _, said = client(base, measure, str(runs))
    cold = judge("E2B, create to the first run_code, cold", median_ms(said, "create to the first result"), 1000, "ms")
    with service(ROOM + POOL) as (base, _):
        _, said = client(base, measure, str(runs))
    pooled = judge("E2B, create to the first run_code, pooled", median_ms(said, "create to the first result"), 300, "ms")
    return cold & pooled


def commands(runs):
    with service(ROOM) as (base, process):
        time.sleep(2)
        idle = resident_bytes(process.pid)
        _, said = client(base, ROOT / "tests/clients/e2b/measure.py", str(runs))
    held = judge('E2B, commands.run("echo hi")', median_ms(said, 'commands.run("echo hi")'), 60, "ms")
    return held & judge("idle service, above what it was", (idle - IDLE_BEFORE) / 1e6, 40, "MB", f"({idle / 1e6:.1f} MB)")


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def crowd(_runs):
    with service(ROOM + FOR_A_CROWD) as (base, _):
        failed, said = client(base, ROOT / "tests/clients/e2b/crowd.py", str(CROWD))
    return judge(f"E2B, {CROWD} sandboxes at once on 8 GiB, failures", CROWD - int((said.split() or [0])[0]) or failed, 0, "", said.strip())


def mcp(runs):
    environment = os.environ | {"LLM_FIRECRACKER_STATE_DIR": str(IMAGES.parent)}
    done = subprocess.run([sys.executable, ROOT / "scripts/mcp-latency.py", TOOL, str(runs)], env=environment, capture_output=True, text=True)
    sys.stderr.write(done.stderr)
    first = judge("MCP, first answer from exec", median_ms(done.stdout, "first answer, from exec"), 2000, "ms")
    apart = judge("MCP, later answers, half a second apart", median_ms(done.stdout, "later answers, half a second apart"), 150, "ms")
    return first & apart & judge("MCP, later answers, back to back", median_ms(done.stdout, "later answers, back to back"), 150, "ms")


def main(runs="20"):
    if not CLIENT.exists():
        print("not run: E2B's client is missing: scripts/test-clients.sh")
        return 77
    held = [measure(int(runs)) for measure in (code, commands, crowd, mcp)]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
