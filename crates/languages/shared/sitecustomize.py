"""What a program prints is there as soon as its line is: on its author's terminal it was, too.

A line costs a system call, which a program that prints a hundred thousand of them would wait for. So after many
lines, one close after the other, a thread writes out what has gathered, until the program is quiet.
"""

import _thread
import atexit
import io
import os
import stat
import sys
import time

# So many lines are written out one by one; it takes some 20 ms.
MANY = 500
# How often what has gathered is written out, and for how long there is nothing until lines are again.
GATHER_SECONDS = 0.01
QUIET_SECONDS = 0.5


class FileIO(io.FileIO):
    """Standard output's own, which counts what goes through it."""

    writes = 0
    gathers = False
    # The program is over: what is left is written out by the interpreter, which stops for good a thread that is at it.
    ended = False

    def anew(self):
        """Also after a fork, to which no thread goes along."""
        self.gathers = False
        self.flushing = _thread.allocate_lock()

    def end(self):
        self.ended = True
        with self.flushing:
            pass

    def write(self, data):
        self.writes += 1
        if self.writes >= MANY and not self.gathers and not self.ended:
            self.gathers = True
            try:
                _thread.start_new_thread(_gather, (self,))
            except RuntimeError:
                # No room for a thread: lines it is.
                self.writes = 0
                self.gathers = False
        return super().write(data)


def _gather(raw):
    stream = sys.__stdout__

    def unless_ended(write_out):
        with raw.flushing:
            if not raw.ended:
                write_out()

    try:
        unless_ended(lambda: stream.reconfigure(line_buffering=False))
        quiet = 0
        while quiet < QUIET_SECONDS and not raw.ended:
            seen = raw.writes
            time.sleep(GATHER_SECONDS)
            unless_ended(stream.flush)
            quiet = 0 if raw.writes != seen else quiet + GATHER_SECONDS
        unless_ended(lambda: stream.reconfigure(line_buffering=True))
        raw.writes = 0
        raw.gathers = False
    except Exception:
        # Closed, or nobody reads: the program hears of it where it writes.
        pass


def _by_lines():
    plain = sys.stdout
    raw = FileIO(1, "wb", closefd=False)
    raw.name = "<stdout>"
    raw.anew()
    atexit.register(raw.end)
    os.register_at_fork(after_in_child=raw.anew)
    stream = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=plain.encoding, errors=plain.errors, newline="\n", line_buffering=True
    )
    stream.mode = "w"
    sys.stdout = sys.__stdout__ = stream


try:
    if stat.S_ISFIFO(os.fstat(1).st_mode) and sys.stdout and not sys.stdout.write_through:
        _by_lines()
except OSError:
    # Closed: there is nothing to print to.
    pass
