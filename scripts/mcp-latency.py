#!/usr/bin/env python3
"""How long an assistant waits: from starting `llm-firecracker mcp` to its first answer, then for each later one.

    scripts/mcp-latency.py [TOOL [CALLS]]       target/release/llm-firecracker, 20

Each call is a run_code of python without session: a fresh VM. Later calls are made with half a second between them, as a
model that reads and writes takes, and once more back to back. Standard library alone.
"""

import json
import statistics
import subprocess
import sys
import time


class Server:
    def __init__(self, tool):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen([tool, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.last = 0
        who = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "latency", "version": "1"}}
        self.ask("initialize", who)
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def say(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.last += 1
        self.say({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        while True:
            message = json.loads(self.process.stdout.readline())
            if message.get("id") == self.last:
                return message["result"]

    def run(self):
        """Seconds that one call takes."""
        begun = time.perf_counter()
        arguments = {"language": "python", "code": "print(6 * 7)"}
        result = self.ask("tools/call", {"name": "run_code", "arguments": arguments})
        assert result["structuredContent"]["stdout"] == "42\n", result
        return time.perf_counter() - begun

    def end(self):
        begun = time.perf_counter()
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
        return time.perf_counter() - begun


def told(name, seconds):
    ms = sorted(1000 * value for value in seconds)
    at = lambda part: ms[min(len(ms) - 1, int(part * len(ms)))]
    print(f"{name}: median {statistics.median(ms):.0f} ms, p95 {at(0.95):.0f} ms, most {ms[-1]:.0f} ms ({len(ms)} calls)")


def main(tool="target/release/llm-firecracker", calls="20"):
    first, ends = [], []
    for _ in range(5):
        server = Server(tool)
        server.run()
        first.append(time.perf_counter() - server.begun)
        ends.append(server.end())
    told("first answer, from exec", first)
    server = Server(tool)
    server.run()
    apart = []
    for _ in range(int(calls)):
        time.sleep(0.5)
        apart.append(server.run())
    told("later answers, half a second apart", apart)
    told("later answers, back to back", [server.run() for _ in range(int(calls))])
    ends.append(server.end())
    told("end, from the end of standard input", ends)


if __name__ == "__main__":
    main(*sys.argv[1:])
