"""The waiting interpreter: everything is loaded, then one order says what becomes of it.

Python imports this last of all in `site`. It waits where the interpreter asks for the last time
before it opens main.py: whether an importer wants that path (a package or a zip file would have
one). Whatever happens afterwards is the plain interpreter's own doing: tracebacks, exit codes,
`__main__`, atexit, none of it is imitated.
"""

# All that the end of a program needs is at hand: looking for it would be new code in a clone.
import _thread
import abc
import atexit
import enum
import gc
import os
import sys
import weakref

PROGRAM = "/work/main.py"
# Names of modules, in images that have some to be loaded.
PRELOAD = "/usr/lib/python3/preload.txt"
# An order that asks for nothing; most jobs' are this one.
PLAIN = b'{"args":[],"env":{},"file":"main.py"}\n'


def _prepare(request=3, reply=4):
    # The first to register is the last to be called.
    atexit.register(_leave)

    import importlib

    modules = """
        abc argparse bisect collections collections.abc contextlib copy csv dataclasses datetime
        decimal enum fractions functools gc heapq io itertools json math operator os pathlib queue
        random re statistics string struct subprocess tempfile textwrap threading time traceback
        typing
    """
    for name in modules.split() + _preloaded():
        try:
            importlib.import_module(name)
        except ImportError:
            pass

    # A warm-up, so that the first use of these is not the job's.
    exec(compile("def f(x):\n    return [str(y) for y in range(x)]\nf(3)\n", "<warm-up>", "exec"), {})
    print(end="", flush=True)
    print(end="", flush=True, file=sys.stderr)
    _unseen(gc.get_objects())

    here = os.path.dirname(__file__)
    os.environ.pop("PYTHONPATH", None)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    sys.path_importer_cache.pop(here, None)

    def wait(path):
        if path != PROGRAM:
            raise ImportError
        sys.path_hooks.remove(wait)
        _loaded.update(sys.modules)
        own = {"__main__", *sys.stdlib_module_names}
        _libraries.update(name for name in _loaded if name.partition(".")[0] not in own)
        gc.collect()
        gc.freeze()
        os.write(reply, b"1")
        _become(os.fdopen(request, "rb"), reply)

    sys.path_hooks.insert(0, wait)


def _preloaded():
    """What the image wants to be at hand besides."""
    try:
        with open(PRELOAD) as file:
            return file.read().split()
    except OSError:
        return []


def _become(request, reply):
    import json
    import random

    line = request.readline()
    # The clone's own randomness; what else draws at import is not loaded yet.
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if line != PLAIN:
        order = json.loads(line)
        sys.argv[1:] = order["args"]
        sys.orig_argv[2:] = order["args"]
        os.environ.update(order["env"])
        if "TZ" in order["env"]:
            import time

            time.tzset()
    request.close()
    os.close(reply)


# Names of what was loaded before the program, and of those that are not Python's own.
_loaded = set()
_libraries = set()
# Modules in C that a program may load besides, with nothing in them that anybody outside could
# miss when it is not taken down.
_HARMLESS = frozenset(
    "array binascii cmath unicodedata zlib _bisect _blake2 _hashlib _heapq _md5 _sha1 _sha256 _sha3 _sha512".split()
)
# With more objects than this the plain way is no slower.
_MANY = 20_000


def _leave():
    """Ends at once, instead of taking an interpreter down of which nobody outside sees a thing."""
    if _is_plain():
        os._exit(0)
    # What the program hung on what was loaded before goes with it, where its going can be seen. To walk through numpy and pandas
    # five times takes longer than a plot.
    if not _unseen(gc.get_objects(), _libraries):
        gc.unfreeze()


def _is_plain():
    """Says whether a program ran to its end and left plain data, its output written out.

    The plain way is taken whenever the end could be seen: an exit code, something with a
    destructor, a file or a generator that is open, a thread, a module in C that might have
    something to put away.
    """
    main = sys.modules["__main__"].__dict__
    # The interpreter takes its `__file__` from a program that ran to its end, not from one that
    # left by `sys.exit`, whose code is known to nobody here.
    if "__file__" in main or "__cached__" in main or "__builtins__" not in main:
        return False
    if "last_type" in vars(sys) or sys.getprofile() or sys.gettrace() or gc.callbacks:
        return False
    if _thread._count() or sys.stdout is not sys.__stdout__ or sys.stderr is not sys.__stderr__:
        return False
    for name in sys.modules.keys() - _loaded:
        origin = getattr(sys.modules[name], "__file__", None)
        if name not in _HARMLESS and not (origin and origin.endswith(".py")):
            return False
    if not _unseen(gc.get_objects()):
        return False
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:
        return False
    return True


def _unseen(objects, known=frozenset()):
    """Says whether none of these objects does anything when it goes, but for those of modules that are known to do nothing
    that is seen."""
    if len(objects) > _MANY:
        return False
    # type's own attributes, whatever a class says of itself.
    own = type.__getattribute__
    kinds = list({id(kind): kind for kind in map(type, objects)}.values())
    for meta in map(type, kinds):
        if meta not in (type, abc.ABCMeta, enum.EnumType) and not _is_of(known, own(meta, "__module__")):
            return False
    refs = {kind for kind in kinds if weakref.ref in kind.__mro__}
    metas = {kind for kind in kinds if type in kind.__mro__}
    for thing in objects:
        kind = type(thing)
        if kind in refs and not _is_librarys(thing.__callback__, known):
            return False
        if kind in metas:
            kinds.append(thing)
    attributes = (own(base, "__dict__") for kind in kinds for base in own(kind, "__mro__"))
    return not any("__del__" in names and not _is_of(known, names.get("__module__")) for names in attributes)


def _is_of(known, module):
    # What a program's class calls its module may be anything.
    return type(module) is str and module in known


def _is_librarys(callback, known):
    """Says whether a weak reference's callback is surely none of the program's."""
    # One that is bound to the reference itself is `_abc`'s, which takes it out of a registry.
    if callback is None or (type(callback) is type(print) and type(callback.__self__) is weakref.ref):
        return True
    module = getattr(callback, "__module__", "")
    return _is_of(("weakref", "_weakrefset"), module) or _is_of(known, module)


_prepare()
