"""A folder of matplotlib's own that has the image's list of fonts: making one takes seconds, and programs start fresh.

It is made when matplotlib is imported, not before: an interpreter that waits for its program finds `/tmp` emptied. Where
matplotlib was loaded while it waited, what the program's environment and folder say of it is read with pyplot.
"""

import os
import sys

SHARED = "/usr/share/matplotlib"
HOME = "/tmp/.matplotlib"


class Finder:
    """Finds nothing, but sees what is looked for."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "matplotlib":
            make()
        elif name == "matplotlib.pyplot":
            sys.meta_path.remove(cls)
            make()
            if "_matplotlib_loaded" in sys.modules:
                configure(sys.modules["matplotlib"])


def make():
    if os.environ.setdefault("MPLCONFIGDIR", HOME) != HOME:
        return
    try:
        os.mkdir(HOME)
        for name in os.listdir(SHARED):
            os.symlink(f"{SHARED}/{name}", f"{HOME}/{name}")
    except OSError:
        # It is there, or there is no room: matplotlib helps itself.
        pass


def configure(matplotlib):
    if os.path.exists("matplotlibrc") or "MATPLOTLIBRC" in os.environ:
        matplotlib.rcParams.update(matplotlib.rc_params_from_file(matplotlib.matplotlib_fname()))
    backend = os.environ.get("MPLBACKEND")
    # Unless the program has chosen one itself.
    if backend and matplotlib.get_backend(auto_select=False) == "agg":
        matplotlib.rcParams["backend"] = backend


sys.meta_path.insert(0, Finder)
