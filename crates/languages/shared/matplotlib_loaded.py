"""For an interpreter that waits: all of matplotlib but pyplot is loaded, and has drawn once.

Of loading it, page faults are most, and they cost more in a VM. What pyplot does when it is imported, the choice of a
backend for one, is left to the program: see `_matplotlib_home`.
"""

import io

import matplotlib.backends.backend_agg
import matplotlib.backends.registry
import matplotlib.colorizer
import matplotlib.dates
import matplotlib.figure
import matplotlib.mlab
import matplotlib.style
import matplotlib.widgets


def draw():
    figure = matplotlib.figure.Figure()
    axes = figure.add_subplot(title="a")
    axes.plot([0, 1], label="b")
    axes.legend()
    figure.savefig(io.BytesIO(), format="png")


draw()
