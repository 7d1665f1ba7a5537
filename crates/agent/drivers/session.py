"""A session's interpreter: IPython's own shell, one cell after another; the variables of `__main__` stay.

A line on `orders` says that there is a new one in a file; its answer is one line on `reply`. What a cell prints
goes out on 1 and 2, as in any program. The agent believes nothing of an answer but that it is
what this session says of itself.
"""

import base64
import contextvars
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings

# Python waits where it has no arguments yet; libraries ask for the program's name.
sys.argv[:] = [""]
# Not in the image: only completion wants it.
sys.modules.setdefault("jedi", None)

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

# Both written by the agent alone, anew for each cell.
ORDER = "/dev/session/order"
INPUT = "/dev/session/input"
IPYTHON_DIR = "/tmp/.ipython"
# What one answer may hold, in bytes as they are sent; what is over is named and left out.
MAX_RESULT = 1 << 20
MAX_RESULTS = 2 << 20
MAX_TRACEBACK = 64 << 10
# How long a cell waits for its own threads and tasks, that what they print is in its answer.
LINGER_SECONDS = 1.0


class Results:
    """What a cell shows, within bounds."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.shown = []
        self.left = MAX_RESULTS

    def add(self, shown):
        kept = {}
        for kind, data in shown.items():
            data = _text(data)
            size = len(json.dumps(data))
            if size > min(MAX_RESULT, self.left):
                kind, data = "text/plain", f"<{kind} of {size} bytes left out>"
                size = len(data)
            self.left -= size
            kept.setdefault(kind, data)
        self.shown.append(kept)

    def figures(self):
        """Figures that a cell drew with pyplot and did not close."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        import io

        for number in pyplot.get_fignums():
            picture = io.BytesIO()
            pyplot.figure(number).savefig(picture, format="png", bbox_inches="tight")
            self.add({"image/png": picture.getvalue()})
        pyplot.close("all")


def _text(data):
    if isinstance(data, (bytes, bytearray)):
        return base64.b64encode(data).decode("ascii")
    return data if isinstance(data, str) else json.dumps(data, default=repr)


# Of the cell that runs.
RESULTS = Results()


class Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    def publish(self, data, *_, **__):
        RESULTS.add(data)

    def clear_output(self, wait=False):
        RESULTS.clear()


class ValueHook(DisplayHook):
    """Takes the value of a cell's last expression, instead of printing it."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        RESULTS.add(format_dict)

    def finish_displayhook(self):
        pass


class Compiler(CachingCompiler):
    """Names a cell in tracebacks by its number."""

    def get_code_name(self, raw_code, transformed_code, number):
        return f"<cell {number}>"


class Shell(InteractiveShell):
    """IPython's, without a terminal: errors are told in the answer, commands write where the cell does."""

    compiler_class = Compiler
    displayhook_class = ValueHook
    display_pub_class = Publisher

    def init_user_ns(self):
        super().init_user_ns()
        # As in a script, with an exit code; IPython's own take none.
        self.user_ns.update(exit=leave, quit=leave)

    def showtraceback(self, exc_tuple=None, *_, **__):
        # A cell's own error has no tuple; one with it does not end the cell: a value that cannot show itself.
        if exc_tuple is not None:
            print(described(exc_tuple[1])["traceback"], end="", file=sys.stderr)

    def showsyntaxerror(self, *_, **__):
        pass

    def system_raw(self, cmd):
        flush()
        return super().system_raw(cmd)

    # Not through a terminal of its own.
    system = system_raw


def leave(code=None):
    raise SystemExit(code)


def shell():
    """The one shell, on `__main__`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    # Reads no configuration, and puts nothing into the work folder.
    return Shell.instance(config=config, user_module=sys.modules["__main__"], ipython_dir=IPYTHON_DIR)


class Session:
    def __init__(self):
        self.shell = shell()
        # Of all cells: what one sets in a context variable, the next one finds.
        self.context = contextvars.copy_context()
        self.loop = None
        self.process = os.getpid()
        # Between cells an interrupt that came too late is nobody's.
        self.on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        warnings.filterwarnings("ignore", message="To exit: use", category=UserWarning)

    def cell(self, code, begun):
        """Runs one cell; what it comes to, but for what it printed. `begun` is called when it can be interrupted."""
        RESULTS.clear()
        answer = {"exit_code": 0, "error": None}
        before = self.at_work()
        error = self.error_of(code, begun)
        if os.getpid() != self.process:
            end_child(error)
        try:
            self.linger(before)
            RESULTS.figures()
        except BaseException as raised:
            error = error or raised
        if isinstance(error, SystemExit):
            answer["exit_code"] = exit_code(error.code)
        elif error is not None:
            answer["exit_code"] = 1
            answer["error"] = described(error)
        answer["results"] = RESULTS.shown
        return answer

    def error_of(self, code, begun):
        """What ended it, if something did, an interrupt among it."""
        try:
            signal.signal(signal.SIGINT, self.on_interrupt or signal.default_int_handler)
            try:
                begun()
                return self.execute(code)
            finally:
                self.on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        except BaseException as raised:
            return raised

    def execute(self, code):
        """The error that it did not catch."""
        shell = self.shell
        transformed = shell.transform_cell(code)
        waits = shell.should_run_async(code, transformed_cell=transformed)
        running = shell.run_cell_async(code, store_history=True, transformed_cell=transformed)
        result = None
        try:
            if waits:
                result = self.until_done(running)
            else:
                result = self.context.run(at_once, running)
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
        return result.error_before_exec or result.error_in_exec

    def until_done(self, running):
        import asyncio

        if self.loop is None or self.loop.is_closed():
            self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        task = self.loop.create_task(running, context=self.context)
        try:
            return self.loop.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()
            self.loop.run_until_complete(asyncio.wait([task], timeout=LINGER_SECONDS))
            raise

    def at_work(self):
        """Threads and tasks that a script would wait for."""
        # A pool's threads wait for work without end.
        pools = sys.modules.get("concurrent.futures.thread")
        idle = set(pools._threads_queues) if pools else set()
        found = {thread for thread in threading.enumerate() if not thread.daemon} - idle
        if self.loop is not None and not self.loop.is_closed():
            found |= sys.modules["asyncio"].all_tasks(self.loop)
        return found

    def linger(self, before):
        """Waits a while for what was not at work before."""
        until = time.monotonic() + LINGER_SECONDS
        new = self.at_work() - before
        tasks = {each for each in new if not isinstance(each, threading.Thread)}
        if tasks:
            self.loop.run_until_complete(sys.modules["asyncio"].wait(tasks, timeout=LINGER_SECONDS))
        for thread in new - tasks:
            thread.join(max(0.0, until - time.monotonic()))


def exit_code(code):
    """The number that a script would end with."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def end_child(error):
    """A child that ran off the end of the cell that forked it ends as it would at the end of a script."""
    code = 0
    if isinstance(error, SystemExit):
        code = exit_code(error.code)
    elif error is not None:
        code = 1
        print(described(error)["traceback"], end="", file=sys.stderr)
    flush()
    os._exit(code)


def at_once(running):
    """Runs a coroutine that awaits nothing: a cell without `await`."""
    try:
        running.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a cell without 'await' waits")


def described(error):
    """An error with the frames of the cell and of what it called, not of the shell around it."""
    trace = error.__traceback__
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<cell "):
        trace = trace.tb_next
    lines = "".join(traceback.format_exception(type(error), error, trace))
    if len(lines) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        lines = f"{lines[:half]}\n[...]\n{lines[-half:]}"
    try:
        value = str(error)
    except Exception:
        value = "<it cannot say>"
    return {
        "name": type(error).__name__,
        "value": value[:MAX_TRACEBACK],
        "traceback": lines,
    }


def take_input():
    """Each cell's standard input is a new one."""
    file = os.open(INPUT, os.O_RDONLY)
    os.dup2(file, 0)
    os.close(file)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)


def flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass


def say(reply, answer):
    # Lone surrogates are no JSON to the agent.
    line = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    data = memoryview(line)
    while data:
        data = data[os.write(reply, data):]


def serve(orders, reply):
    """Carries out orders until there are no more."""
    os.set_inheritable(orders.fileno(), False)
    os.set_inheritable(reply, False)
    os.environ.setdefault("MPLBACKEND", "agg")
    session = Session()
    while True:
        with open(ORDER, encoding="utf-8") as file:
            order = json.load(file)
        os.environ.update(order["env"])
        sys.argv[:] = ["", *order["args"]]
        take_input()
        answer = session.cell(order["code"].removeprefix("\ufeff"), lambda: say(reply, {"begun": order["id"]}))
        flush()
        say(reply, {"id": order["id"], **answer})
        if not orders.readline():
            return 0
