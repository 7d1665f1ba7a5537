"""A session's interpreter: one order after another, the variables of `__main__` stay.

A line on `orders` says that there is a new one in a file; its answer is one line on `reply`. What a cell prints
goes out on 1 and 2, as in any program. The agent believes nothing of an answer but that it is
what this session says of itself.
"""

import ast
import base64
import builtins
import json
import linecache
import os
import sys
import traceback

# Both written by the agent alone, anew for each cell.
ORDER = "/dev/session/order"
INPUT = "/dev/session/input"
# What one answer may hold, in bytes as they are sent; what is over is named and left out.
MAX_RESULT = 1 << 20
MAX_RESULTS = 2 << 20
MAX_TRACEBACK = 64 << 10

# From <code.h>; the inspect module has it too, and much else.
CO_COROUTINE = 0x80

# A value's ways to show itself, as notebooks call them; those that are bytes are sent as base64.
REPRESENTATIONS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_pdf_": "application/pdf",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}


def _text(data):
    if isinstance(data, (bytes, bytearray)):
        return base64.b64encode(data).decode("ascii")
    return data if isinstance(data, str) else json.dumps(data, default=repr)


def bundle(value):
    """MIME type -> data of a value."""
    shown = {"text/plain": repr(value)}
    if isinstance(value, type):
        return shown
    many = getattr(value, "_repr_mimebundle_", None)
    if callable(many):
        try:
            offered = many(include=None, exclude=None)
            offered = offered[0] if isinstance(offered, tuple) else offered
            shown.update((str(kind), _text(data)) for kind, data in dict(offered).items())
        except Exception:
            traceback.print_exc()
    for name, kind in REPRESENTATIONS.items():
        method = getattr(value, name, None)
        if kind in shown or not callable(method):
            continue
        try:
            data = method()
        except Exception:
            traceback.print_exc()
            continue
        if data is not None:
            shown[kind] = _text(data[0] if isinstance(data, tuple) else data)
    return shown


class Results:
    """What a cell shows, within bounds."""

    def __init__(self):
        self.shown = []
        self.left = MAX_RESULTS

    def add(self, shown):
        kept = {}
        for kind, data in shown.items():
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
            self.add({"image/png": _text(picture.getvalue())})
        pyplot.close("all")


class Session:
    def __init__(self):
        self.count = 0
        self.loop = None
        self.results = Results()
        self.main = sys.modules["__main__"].__dict__
        builtins.display = self.display

    def display(self, *values):
        """Show values in the cell's results, each with all it can say of itself."""
        for value in values:
            self.results.add(bundle(value))

    def cell(self, code):
        """Runs one cell; what it comes to, but for what it printed."""
        self.count += 1
        self.results = Results()
        name = f"<cell {self.count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        answer = {"exit_code": 0, "error": None}
        try:
            self.execute(code, name)
            self.results.figures()
        except SystemExit as end:
            answer["exit_code"] = self.exit_code(end.code)
        except BaseException as error:
            answer["exit_code"] = 1
            answer["error"] = described(error)
        answer["results"] = self.results.shown
        return answer

    def execute(self, code, name):
        tree = compile(code, name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        self.evaluate(compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if last is not None:
            value = self.evaluate(compile(last, name, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
            if value is not None:
                self.main["_"] = value
                self.results.add(bundle(value))

    def evaluate(self, code):
        value = eval(code, self.main)
        if not code.co_flags & CO_COROUTINE:
            return value
        if self.loop is None:
            import asyncio

            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(value)

    @staticmethod
    def exit_code(code):
        if code is None:
            return 0
        if isinstance(code, int):
            return code & 0xFF
        print(code, file=sys.stderr)
        return 1


def described(error):
    """An error with the frames of the cell and of what it called, not of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
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
        answer = session.cell(order["code"])
        flush()
        say(reply, {"id": order["id"], **answer})
        if not orders.readline():
            return 0
