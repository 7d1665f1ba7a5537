#!/usr/bin/env python3
"""What a clone's job costs, step by step: guest blocks that QEMU translates, and its CPU time.

    scripts/guest-cost.py --rounds 5 python 'print("hi")' SNAPSHOT [SNAPSHOT ...]

Each SNAPSHOT is a folder below STATE/snapshots. One clone of each in every round, so that two
snapshots (two agents, two kernels' command lines) are compared on the same host at the same time.
Blocks hardly vary and say what to leave out; CPU time says whether it was worth it. For
measuring only: QEMU runs without its jail, on a job of yours.
"""

import argparse
import base64
import json
import os
import re
import socket
import statistics
import struct
import subprocess
import time

STEPS = ["wake", "started", "output", "finished"]
LIMITS = {
    "execute_millis": 60000, "compile_millis": 60000, "cpu_seconds": 60, "memory_bytes": 0, "pids": 128,
    "output_bytes": 1 << 20, "file_size_bytes": 1 << 26, "tmpfs_bytes": 128 << 20, "open_files": 1024,
    "artifact_bytes": 8 << 20,
}

# As in sandbox/src/rehearse.rs.
REHEARSALS = {"python": "import sys\nprint('ready')\n", "node": "console.log('ready')\n", "bash": "echo ready\n"}


def key_of(snapshot):
    with open(f"{snapshot}/manifest.json") as file:
        return json.load(file)["key"]


class Clone:
    """A clone under a bare QEMU, with the devices that vmm/src/qemu/args.rs gives it."""

    def __init__(self, snapshot, rootfs):
        mib = os.path.getsize(f"{snapshot}/memory") >> 20
        qmp, qmp_inside = socket.socketpair()
        self.channel, channel_inside = socket.socketpair()
        state, root = (os.open(path, os.O_RDONLY) for path in (f"{snapshot}/state", rootfs))
        fds = [qmp_inside.fileno(), channel_inside.fileno(), state, root]
        devices = f"""
            -machine microvm,acpi=on,x-option-roms=off,isa-serial=on,rtc=off,memory-backend=ram
            -accel tcg,tb-size=128 -cpu {key_of(snapshot)['engine']['cpu_model'].split()[0]} -m {mib}M -smp 1
            -object memory-backend-file,id=ram,size={mib}M,mem-path={snapshot}/memory,readonly=on,rom=off,share=off
            -nodefaults -no-user-config -display none -no-reboot -S -bios /usr/share/qemu/qboot.rom
            -chardev null,id=console -serial chardev:console
            -chardev socket,id=qmp,fd={fds[0]} -mon chardev=qmp,mode=control
            -chardev socket,id=channel,fd={fds[1]} -device virtio-serial-device,max_ports=2
            -add-fd fd={root},set=1 -add-fd fd={state},set=3
            -blockdev driver=file,node-name=file,filename=/dev/fdset/1,read-only=on,locking=off
            -blockdev driver=raw,node-name=rootfs,file=file,read-only=on
            -device virtio-blk-device,drive=rootfs
            -object rng-builtin,id=entropy -device virtio-rng-device,rng=entropy
            -device virtserialport,chardev=channel,name=llm-firecracker.agent -incoming defer"""
        self.process = subprocess.Popen(["qemu-system-x86_64", *devices.split()], pass_fds=fds)
        for inside in (qmp_inside, channel_inside):
            inside.close()
        for fd in (state, root):
            os.close(fd)
        self.received = b""
        self.qmp = qmp.makefile("rwb")
        self.qmp.readline()
        self.ask("qmp_capabilities")
        wanted = ["x-ignore-shared", "events"]
        self.ask("migrate-set-capabilities", capabilities=[{"capability": name, "state": True} for name in wanted])
        self.ask("migrate-incoming", uri="file:/dev/fdset/3")
        while json.loads(self.qmp.readline()).get("data", {}).get("status") != "completed":
            pass
        self.ask("cont")

    def ask(self, command, **arguments):
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if "error" in answer:
                raise SystemExit(f"{command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def cost(self):
        """Blocks translated and seconds of CPU time so far."""
        jit = self.ask("human-monitor-command", **{"command-line": "info jit"})
        tasks = f"/proc/{self.process.pid}/task"
        nanos = sum(int(open(f"{tasks}/{task}/schedstat").read().split()[0]) for task in os.listdir(tasks))
        return int(re.search(r"TB count\s+(\d+)", jit)[1]), nanos / 1e9

    def send(self, *messages):
        for message in messages:
            body = json.dumps(message).encode()
            self.channel.sendall(struct.pack(">I", len(body)) + body)

    def receive(self):
        while True:
            size = struct.unpack(">I", self.received[:4])[0] if len(self.received) >= 4 else None
            if size is not None and len(self.received) >= 4 + size:
                body, self.received = self.received[4:4 + size], self.received[4 + size:]
                return json.loads(body)
            more = self.channel.recv(65536)
            if not more:
                raise SystemExit("the guest closed the channel")
            self.received += more

    def end(self):
        self.process.kill()
        self.process.wait()


def wake():
    return {"type": "wake", "entropy": base64.b64encode(os.urandom(64)).decode(),
            "unix_time_nanos": time.time_ns(), "hostname": "vm", "boot_id": "00000000-0000-0000-0000-000000000000"}


def run(clone, job):
    """The cost of each step of one job."""
    costs = [clone.cost()]
    clone.send(wake())
    marks = {"awake": "wake", "started": "started", "stdout": "output", "finished": "finished"}
    seen = []
    while True:
        kind = clone.receive()["type"]
        if marks.get(kind) not in (None, *seen):
            seen.append(marks[kind])
            costs.append(clone.cost())
        if kind == "awake":
            clone.send({"type": "run", "trace_id": "t", "args": [], "limits": LIMITS, "fresh_interpreter": False,
                        "collect_artifacts": False, "session": False, "seccomp_program": [], **job},
                       {"type": "stdin_end"})
        if kind in ("finished", "failed"):
            break
    if seen != STEPS:
        raise SystemExit(f"the job went {seen}, not {STEPS}: it must print something")
    return [(after[0] - before[0], after[1] - before[1]) for before, after in zip(costs, costs[1:])]


def measure(snapshot, rootfs, job, before):
    """The cost of each step of one job in a new clone, after what the clone was prepared by."""
    clone = Clone(snapshot, rootfs)
    for step in before:
        if step != "rehearse":
            clone.send(wake() if step == "wake" else {"type": "warm", "language": job["language"]})
            clone.receive()
        else:
            run(clone, {**job, "code": REHEARSALS[job["language"]]})
    if before:
        clone.ask("stop")
        clone.ask("cont")
    costs = run(clone, job)
    clone.end()
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="the compiler sees it, too")
    parser.add_argument("--file", action="append", default=[], metavar="PATH", help="put beside the program")
    parser.add_argument("--before", action="append", default=[], choices=["rehearse", "wake", "warm"],
                        help="what the clone does before, as in the pool; can be given several times")
    parser.add_argument("language")
    parser.add_argument("code")
    parser.add_argument("snapshots", nargs="+")
    args = parser.parse_args()
    job = {"language": args.language, "code": args.code, "env": [pair.split("=", 1) for pair in args.env], "files": [
        {"path": os.path.basename(path), "data": base64.b64encode(open(path, "rb").read()).decode()} for path in args.file]}
    runs = {snapshot: [] for snapshot in args.snapshots}
    for _ in range(args.rounds):
        for snapshot in args.snapshots:
            image = f"{args.language}-{key_of(snapshot)['image_sha256'][:16]}.erofs"
            rootfs = os.path.join(snapshot, "../../images/rootfs", image)
            runs[snapshot].append(measure(snapshot, rootfs, job, args.before))
    print(f"{'':24}" + "".join(f"{step:>20}" for step in [*STEPS, "all"]))
    for snapshot, rounds in runs.items():
        steps = [[round[step] for round in rounds] for step in range(len(STEPS))]
        steps.append([tuple(map(sum, zip(*round))) for round in rounds])
        middle = [(statistics.median(b for b, _ in step), statistics.median(c for _, c in step)) for step in steps]
        print(f"{os.path.basename(snapshot.rstrip('/')):24}" + "".join(f"{b:>11.0f} {c * 1e3:>5.0f} ms" for b, c in middle))


main()
