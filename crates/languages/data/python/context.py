"""A context's interpreter: IPython's own shell, one cell after another; the variables of `__main__` stay.

An order is a line of JSON on descriptor 3, an answer one on 4. Descriptors 1 and 2, 5 and 6, 7 and 8, 9 and 10 are
lanes for what cells print. A cell whose lane is still held by what an earlier one left running takes another, so the
host knows whose output it is; what a thread or task of an earlier cell prints is told with its cell's name.
"""

import base64
import contextvars
import gc
import importlib
import importlib.util
import io
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings

# Loaded before there is a context for it, it reads first where that is.
waits = sys.argv[1:] == ["wait"]
sys.argv[:] = [""]
# Not in the image: only completion wants it.
sys.modules.setdefault("jedi", None)

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

ORDERS = 3
CONTROL = 4
LANES = ((1, 2), (5, 6), (7, 8), (9, 10))
STREAMS = {1: "stdout", 2: "stderr"}
IPYTHON_DIR = "/tmp/.ipython"
# Names of modules, in images that have some to be loaded.
PRELOAD = "/usr/lib/python3/preload.txt"
# What one value may have, in bytes as they are sent; what is over is named and left out.
MAX_SHOWN = 1 << 20
# What all that one value is shown as may have, as it is sent: the host takes lines of 2 MiB. What is smaller than a sixth
# of it is so however it is escaped.
MAX_BUNDLE = (2 << 20) - (64 << 10)
MAX_TRACEBACK = 64 << 10
# Bytes of late output in one answer.
MAX_LATE = 32 << 10
# A line that is not whole is held back for so long, that what several write does not mix within lines.
HOLD_SECONDS = 0.1
MAX_HELD = 8 << 10
# How long a cell waits for its own threads and tasks, that what they print is its output.
LINGER_SECONDS = 1.0

# The cell that a thread or task belongs to.
OWNER = contextvars.ContextVar("cell", default=None)
THREAD = threading.local()


class Control:
    """Says lines on descriptor 4, whole ones, whatever interrupts."""

    def __init__(self):
        self.lock = threading.RLock()
        self.busy = False
        self.interrupted = False

    def say(self, **answer):
        # Lone surrogates are no JSON to the host.
        line = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self.lock:
            is_main = threading.current_thread() is threading.main_thread()
            before, self.busy = self.busy, self.busy or is_main
            try:
                write(CONTROL, line)
            finally:
                self.busy = before
        if self.interrupted and is_main and not self.busy:
            self.interrupted = False
            raise KeyboardInterrupt


def write(fd, data):
    data = memoryview(data)
    while data:
        data = data[os.write(fd, data):]


CONTROL_LINE = Control()


def say(**answer):
    """After what this thread has written."""
    flush()
    CONTROL_LINE.say(**answer)


class Stream(io.RawIOBase):
    """What `sys.stdout` writes to: the running cell's output, or late output of the cell that the writer is of."""

    def __init__(self, fd):
        self.fd = fd

    def writable(self):
        return True

    def fileno(self):
        return self.fd

    def write(self, data):
        owner, now = owner_now(), time.monotonic()
        held = self.held()
        if held.data and held.owner != owner:
            self.flush()
        if not held.data:
            held.owner, held.since = owner, now
        held.data += data
        if held.data[-1:] in b"\n\r" or len(held.data) > MAX_HELD or now - held.since > HOLD_SECONDS:
            self.flush()
        return len(data)

    def held(self):
        """What this thread has written and nobody has seen."""
        name = STREAMS[self.fd]
        if not hasattr(THREAD, name):
            setattr(THREAD, name, Held())
        return getattr(THREAD, name)

    def flush(self):
        held = self.held()
        data, held.data = bytes(held.data), bytearray()
        if held.owner is None or held.owner == CELLS.running:
            write(self.fd, data)
            return
        for at in range(0, len(data), MAX_LATE):
            part = base64.b64encode(data[at:at + MAX_LATE]).decode("ascii")
            CONTROL_LINE.say(type="output", cell=held.owner, stream=STREAMS[self.fd], base64=part)


class Held:
    def __init__(self):
        self.data, self.owner, self.since = bytearray(), None, 0.0


def owner_now():
    """The cell whose thread or task this is; `None`: nobody knows."""
    return OWNER.get() or getattr(THREAD, "owner", None)


def own_threads():
    """A thread belongs to the cell that started it, a pool's work to the cell that handed it in."""
    from concurrent.futures import thread as pools

    start, run = threading.Thread.start, threading.Thread._bootstrap_inner

    def starts(self):
        self._owner = owner_now()
        start(self)

    def runs(self):
        THREAD.owner = getattr(self, "_owner", None)
        run(self)
        flush()

    threading.Thread.start, threading.Thread._bootstrap_inner = starts, runs
    init, work = pools._WorkItem.__init__, pools._WorkItem.run

    def handed_in(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self._owner = owner_now()

    def worked(self):
        before = getattr(THREAD, "owner", None)
        THREAD.owner = self._owner
        try:
            work(self)
        finally:
            flush()
            THREAD.owner = before

    pools._WorkItem.__init__, pools._WorkItem.run = handed_in, worked


class Lanes:
    """Which outputs the cells have. Those that are not in use lie where no child inherits them."""

    def __init__(self):
        for fd in (ORDERS, CONTROL, *(fd for lane in LANES for fd in lane)):
            os.set_inheritable(fd, False)
        # Descriptors 1 and 2 are the running cell's; those of the first lane lie beside them.
        self.kept = [(os.dup(1), os.dup(2)), *LANES[1:]]
        os.set_inheritable(1, True)
        os.set_inheritable(2, True)
        self.now = 0

    def choose(self):
        """A lane that only this process holds; `None` when there is none, and the first is used for nobody."""
        held = held_by_others()
        order = [self.now, *(lane for lane in range(len(self.kept)) if lane != self.now)]
        free = [lane for lane in order if not any(os.fstat(fd).st_ino in held for fd in self.kept[lane])]
        lane = free[0] if free else 0
        if lane != self.now:
            self.now = lane
            for target, fd in zip((1, 2), self.kept[lane]):
                os.dup2(fd, target)
        return lane if free else None


def held_by_others():
    """The inodes behind the descriptors of all other processes that can be seen."""
    own, held = str(os.getpid()), set()
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid == own:
            continue
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                held.add(os.stat(f"/proc/{pid}/fd/{fd}").st_ino)
        except OSError:
            # It ended, or is nobody's of ours.
            pass
    return held


class Cells:
    """The cell that runs, and how values are shown in it."""

    running = None
    # Shows values as data, too, where the cell's order asked for it.
    structured = None

    def show(self, kind, data):
        data = {mime: bounded(mime, value) for mime, value in data.items()}
        if sum(map(len, data.values())) > MAX_BUNDLE // 6:
            fit(data)
        say(type=kind, cell=owner_now(), data=data)


CELLS = Cells()


def bounded(mime, value):
    if isinstance(value, (bytes, bytearray)):
        value = base64.b64encode(value).decode("ascii")
    elif not isinstance(value, str):
        value = json.dumps(value, default=repr)
    size = len(value.encode("utf-8", "replace"))
    return value if size <= MAX_SHOWN else left_out(mime, size)


def left_out(mime, size):
    return f"<{mime} of {size} bytes left out>"


def fit(data):
    """Leaves the largest out, until the rest can be sent."""
    def sent(value):
        return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))

    sizes = {mime: sent(value) for mime, value in data.items()}
    while sum(sizes.values()) > MAX_BUNDLE:
        largest = max(sizes, key=sizes.get)
        data[largest] = left_out(largest, sizes.pop(largest))


class Publisher(DisplayPublisher):
    """Takes what `display` shows."""

    def publish(self, data, *_, **__):
        CELLS.show("display", data)

    def clear_output(self, wait=False):
        pass


class ValueHook(DisplayHook):
    """Takes the value of a cell's last expression, instead of printing it."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        CELLS.show("result", format_dict)

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

    # Not through a terminal of its own.
    system = InteractiveShell.system_raw


def leave(code=None):
    raise SystemExit(code)


def shell():
    """The one shell, on `__main__`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    # Reads no configuration, and puts nothing into the work folder.
    return Shell.instance(config=config, user_module=sys.modules["__main__"], ipython_dir=IPYTHON_DIR)


class Context:
    def __init__(self):
        self.shell = shell()
        self.lanes = Lanes()
        # Of all cells: what one sets in a context variable, the next one finds.
        self.context = contextvars.copy_context()
        self.loop = None
        self.process = os.getpid()
        self.structured = None
        # Between cells an interrupt that came too late is nobody's.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.on_interrupt = interrupted
        warnings.filterwarnings("ignore", message="To exit: use", category=UserWarning)

    def carry_out(self, order):
        """Runs one cell and says what comes of it."""
        cell = order["id"]
        variables = order["env"]
        before_cell = {name: os.environ.get(name) for name in variables} if order.get("env_scope") == "cell" else {}
        os.environ.update(variables)
        sys.argv[:] = ["", *order["args"]]
        take_input(base64.b64decode(order["stdin"]))
        lane = self.lanes.choose()
        THREAD.owner = cell
        self.context.run(OWNER.set, cell)
        CELLS.running = cell
        self.show_structured(order.get("formats") == "structured")
        before = self.at_work()
        error = self.error_of(order["code"].removeprefix("\ufeff"), lambda: say(type="begun", cell=cell, lane=lane))
        if os.getpid() != self.process:
            end_child(error)
        try:
            self.linger(before)
            figures()
        except BaseException as raised:
            error = error or raised
        CONTROL_LINE.interrupted = False
        flush()
        code = 0
        if isinstance(error, SystemExit):
            code = exit_code(error.code)
        elif error is not None:
            code = 1
            say(type="error", cell=cell, **described(error))
        CELLS.running = None
        put_back(before_cell)
        say(type="end", cell=cell, exit_code=code)

    def show_structured(self, wanted):
        """Whether this cell's values are shown as data, too. What that takes is loaded when it is first wanted."""
        if wanted and self.structured is None:
            self.structured = driver("structured").Structured(self.shell, driver)
        if self.structured is not None:
            self.structured.enable(wanted)
        CELLS.structured = self.structured if wanted else None

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


def interrupted(*_):
    """An interrupt, but not in the middle of an answer."""
    if CONTROL_LINE.busy:
        CONTROL_LINE.interrupted = True
        return
    raise KeyboardInterrupt


def figures():
    """Figures that a cell drew with pyplot and did not close."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        figure, picture = pyplot.figure(number), io.BytesIO()
        figure.savefig(picture, format="png", bbox_inches="tight")
        more = CELLS.structured.of_figure(figure) if CELLS.structured else {}
        CELLS.show("display", {"image/png": picture.getvalue(), **more})
    pyplot.close("all")


def driver(name):
    """Another file of this folder, as a module that no program finds by its name."""
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_context_{name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put_back(variables):
    """Variables that were set for one cell are as they were before it."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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
    told = traceback.TracebackException(type(error), error, trace)
    hide(told)
    lines = "".join(told.format())
    if len(lines) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        lines = f"{lines[:half]}\n[...]\n{lines[-half:]}"
    try:
        value = str(error)
    except Exception:
        value = "<it cannot say>"
    return {"name": type(error).__name__, "value": value[:MAX_TRACEBACK], "traceback": lines}


def hide(told):
    """Leaves this file's frames out, of what led to it too."""
    while told is not None:
        told.stack[:] = [frame for frame in told.stack if frame.filename != __file__]
        told = told.__cause__ or told.__context__


def take_input(data):
    """Each cell's standard input is a new one."""
    file = os.memfd_create("stdin")
    write(file, data)
    os.lseek(file, 0, os.SEEK_SET)
    os.dup2(file, 0)
    os.close(file)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)


def flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()
        except Exception:
            pass


def take_output():
    """Each line printed is out at once, before what children print after it."""
    for fd, name in STREAMS.items():
        stream = io.TextIOWrapper(Stream(fd), encoding="utf-8", errors="backslashreplace" if fd == 2 else "strict", newline="\n", write_through=True)
        stream.mode = "w"
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def serve(waits):
    """Carries out orders until there are no more."""
    os.environ.setdefault("MPLBACKEND", "agg")
    own_threads()
    take_output()
    context = Context()
    # What cells define is theirs, what this file defines is not.
    orders = open(ORDERS, "rb", closefd=False)
    if waits:
        load(context.shell)
        write(CONTROL, b"1")
        enter(json.loads(orders.readline()))
    while line := orders.readline():
        context.carry_out(json.loads(line))


def load(shell):
    """All that a first cell may need is at hand."""
    for name in preloaded():
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    # The way of a cell, which leaves no trace in its numbers.
    cell = shell.transform_cell("None\n")
    at_once(shell.run_cell_async(cell, silent=True, transformed_cell=cell))
    # The same of what is loaded and stays: it is not looked through again and again.
    gc.collect()
    gc.freeze()


def preloaded():
    """What the image wants to be at hand besides."""
    try:
        with open(PRELOAD) as file:
            return file.read().split()
    except OSError:
        return []


def enter(order):
    """Is where a new one would be, with its environment and with chance of its own."""
    os.environ.clear()
    os.environ.update(order["env"])
    os.environ.setdefault("MPLBACKEND", "agg")
    time.tzset()
    os.chdir(order["cwd"])
    sys.path[0] = os.getcwd()
    if "random" in sys.modules:
        sys.modules["random"].seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def main():
    import types

    # Cells have a `__main__` of their own.
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.modules["__main__"].__builtins__ = __builtins__
    sys.path[0] = os.getcwd()
    serve(waits)
    os._exit(0)


main()
