"""Processes: a pool, pipes, signals and exit codes."""
import multiprocessing as mp
import os
import signal
import subprocess
import sys


def factors(n: int) -> tuple[int, list[int]]:
    found, d = [], 2
    rest = n
    while d * d <= rest:
        while rest % d == 0:
            found.append(d)
            rest //= d
        d += 1
    return n, found + ([rest] if rest > 1 else [])


def child(connection):
    while (message := connection.recv()) is not None:
        connection.send(message[::-1])
    connection.close()
    os._exit(7)


if __name__ == "__main__":
    with mp.get_context("fork").Pool(3) as pool:
        for n, found in pool.imap(factors, [97, 360, 65537 * 3, 10**6 + 3]):
            print(n, "=", " * ".join(map(str, found)))

    here, there = mp.Pipe()
    process = mp.get_context("fork").Process(target=child, args=(there,))
    process.start()
    for word in ["stressed", "level"]:
        here.send(word)
        print(word, "->", here.recv())
    here.send(None)
    process.join()
    print("exit code", process.exitcode)

    result = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.stdin.read().upper()); sys.exit(4)"],
        input="through a pipe", capture_output=True, text=True,
    )
    print(repr(result.stdout), result.returncode)

    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.signal(signal.SIGTERM, lambda *_: (os.write(writer, b"bye"), os._exit(0)))
        os.write(writer, b"ready ")
        while True:
            signal.pause()
    os.close(writer)
    assert os.read(reader, 6) == b"ready "
    os.kill(pid, signal.SIGTERM)
    print(os.read(reader, 10), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print("signal", subprocess.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).returncode)
