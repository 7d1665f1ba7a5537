"""A folder of matplotlib's own that has the image's list of fonts: making one takes seconds, and programs start fresh."""

import os

SHARED = "/usr/share/matplotlib"
HOME = "/tmp/.matplotlib"

if "MPLCONFIGDIR" not in os.environ:
    os.environ["MPLCONFIGDIR"] = HOME
    try:
        os.mkdir(HOME)
        for name in os.listdir(SHARED):
            os.symlink(f"{SHARED}/{name}", f"{HOME}/{name}")
    except OSError:
        # It is there, or there is no room: matplotlib helps itself.
        pass
