"""What is drawn in a figure of matplotlib's, as data in the form that E2B's clients read: line, scatter, bar, pie, box and
whiskers, several of them in one figure; what is none of these is `unknown` and has its title alone.
"""

import datetime
import math
import re

import numpy
from matplotlib import dates
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle, Wedge

# "Time (s)" and "Time [s]".
UNIT = re.compile(r"\s\((.*?)\)|\[(.*?)\]")
# What computing leaves behind in a number goes.
DIGITS = 10


def of_figure(figure):
    """The chart, or `None` where nothing is drawn."""
    axes = figure.get_axes()
    if not any(each.has_data() for each in axes):
        return None
    if len(axes) == 1:
        return of_axes(axes[0])
    return {"type": "superchart", "title": figure.get_suptitle(), "elements": [of_axes(each) for each in axes]}


def of_axes(axes):
    drawn = [*axes.lines, *axes.patches, *axes.collections, *axes.images, *axes.tables, *axes.artists]
    shapes = [each for each in drawn if not (isinstance(each, Line2D) and is_grid_line(each))]

    def consists_of(kinds, things):
        return all(isinstance(each, kinds) for each in things)

    if consists_of(Line2D, drawn):
        return {"type": "line", **points_of(axes), "elements": lines(axes)}
    if consists_of((PathPatch, Line2D), drawn):
        return box_and_whisker(axes)
    if consists_of(PathCollection, shapes):
        return {"type": "scatter", **points_of(axes), "elements": clouds(axes)}
    if consists_of(Wedge, shapes):
        return {"type": "pie", "title": title(axes), "elements": slices(axes)}
    if consists_of(Rectangle, shapes):
        return bars(axes)
    return {"type": "unknown", "title": title(axes), "elements": []}


def is_grid_line(line):
    """One that is straight up or straight across."""
    x, y = line.get_xdata(), line.get_ydata()
    return len(x) == len(y) == 2 and (x[0] == x[1] or y[0] == y[1])


def title(axes):
    return axes.get_title() or None


def labels_of(axes, turned=False):
    """Title, labels and units; of a chart that lies on its side the labels change places."""
    texts = axes.get_xlabel() or None, axes.get_ylabel() or None
    x, y = reversed(texts) if turned else texts
    return {"title": title(axes), "x_label": x, "y_label": y, "x_unit": unit(x), "y_unit": unit(y)}


def unit(label):
    found = UNIT.search(label or "")
    return (found.group(1) or found.group(2)) if found else None


def points_of(axes):
    """What line and scatter charts say of their axes."""
    return {
        **labels_of(axes),
        **ticks("x", axes.xaxis, axes.get_xscale()),
        **ticks("y", axes.yaxis, axes.get_yscale()),
    }


def ticks(name, axis, scale):
    places = list(axis.get_ticklocs())
    texts = tick_labels(axis)
    if is_of_dates(axis):
        places, scale = [dates.num2date(place).isoformat() for place in places], "datetime"
    else:
        places = [number(place) for place in places]
        if scale == "linear" and is_of_categories(places, texts):
            scale = "categorical"
    return {f"{name}_ticks": places, f"{name}_tick_labels": texts, f"{name}_scale": scale}


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def is_of_dates(axis):
    # matplotlib's own has no public name.
    converter = axis.get_converter() if hasattr(axis, "get_converter") else axis.converter
    return isinstance(converter, (dates.DateConverter, dates._SwitchableDateConverter))


def is_of_categories(places, texts):
    """0, 1, 2, …, and something else is written there."""
    return all(place == at and text != str(at) for at, (place, text) in enumerate(zip(places, texts)))


def number(value):
    """As JSON has it: what is none is `null`."""
    value = float(value)
    return value if math.isfinite(value) else None


def rounded(value):
    value = float(value)
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def point(value):
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, numpy.datetime64):
        return str(value.astype("datetime64[s]"))
    return value if isinstance(value, str) else number(value)


def pairs(xs, ys):
    return [[point(x), point(y)] for x, y in zip(xs, ys)]


def named(label, prefix, what):
    """The name that was given, or a number where matplotlib made one up."""
    return f"{what} {label.removeprefix(prefix)}" if label.startswith(prefix) else label


def lines(axes):
    own = [line for line in axes.get_lines() if not is_grid_line(line)]
    return [
        {"label": named(line.get_label(), "_child", "Line"), "points": pairs(line.get_xdata(), line.get_ydata())}
        for line in own
    ]


def clouds(axes):
    return [
        {"label": each.get_label(), "points": [[number(x), number(y)] for x, y in each.get_offsets()]}
        for each in axes.collections
    ]


def slices(axes):
    return [
        {"label": wedge.get_label(), "angle": rounded(abs(wedge.theta2 - wedge.theta1)), "radius": number(wedge.r)}
        for wedge in axes.patches
    ]


def bars(axes):
    containers = [each for each in axes.containers if isinstance(each, BarContainer)]
    turned = any(each.orientation == "horizontal" for each in containers)
    elements = []
    for container in containers:
        group = named(container.get_label(), "_container", "Group")
        rects = list(container)
        values = [rect.get_width() if turned else rect.get_height() for rect in rects]
        for label, value in zip(bar_labels(axes.yaxis if turned else axes.xaxis, rects, turned), values):
            elements.append({"label": label, "group": group, "value": number(value)})
    return {"type": "bar", **labels_of(axes, turned), "elements": elements}


def bar_labels(axis, rects, turned):
    """What is written at each bar; its place, where nothing is."""
    places, texts = list(axis.get_ticklocs()), tick_labels(axis)
    if len(places) == len(rects):
        return texts
    centres = [
        rect.get_y() + rect.get_height() / 2 if turned else rect.get_x() + rect.get_width() / 2 for rect in rects
    ]
    at = {rounded(place): text for place, text in zip(places, texts)}
    return [at.get(rounded(centre)) or f"{centre:g}" for centre in centres]


def box_and_whisker(axes):
    boxes = [Box(patch) for patch in axes.patches]
    # Boxes that are equally high stand on their side: their height is their breadth.
    turned = bool(boxes) and len({rounded(box.y[1] - box.y[0]) for box in boxes}) == 1 and (
        len(boxes) > 1 or len({rounded(box.x[1] - box.x[0]) for box in boxes}) > 1 or lies(axes, boxes[0])
    )
    texts = tick_labels(axes.yaxis if turned else axes.xaxis)
    for box, text in zip(boxes, texts):
        box.begin(text, turned)
    for line in axes.lines:
        across, along = line.get_xdata(), line.get_ydata()
        if turned:
            across, along = along, across
        for box in boxes:
            if len(across) and box.holds(across):
                box.take(line, [float(value) for value in along])
                break
    return {"type": "box_and_whisker", **labels_of(axes, turned), "elements": [box.told() for box in boxes]}


def lies(axes, box):
    """Whether a single box lies on its side: its median is then a line straight up."""
    inside = [line for line in axes.lines if len(line.get_xdata()) == 2]
    x_in = [line for line in inside if all(box.x[0] < x < box.x[1] for x in line.get_xdata())]
    return any(line.get_xdata()[0] == line.get_xdata()[1] and spans(line.get_ydata(), box.y) for line in x_in)


def spans(values, span):
    return rounded(min(values)) == rounded(span[0]) and rounded(max(values)) == rounded(span[1])


class Box:
    """One box, and the lines that belong to it."""

    def __init__(self, patch):
        corners = patch.get_path().vertices
        self.x = min(corners[:, 0]), max(corners[:, 0])
        self.y = min(corners[:, 1]), max(corners[:, 1])

    def begin(self, label, turned):
        self.label = label
        self.breadth, self.span = (self.y, self.x) if turned else (self.x, self.y)
        self.low, self.high = (rounded(each) for each in self.span)
        self.min, self.max, self.median, self.outliers = self.low, self.high, None, []

    def holds(self, across):
        return all(self.breadth[0] <= float(each) <= self.breadth[1] for each in across)

    def take(self, line, along):
        values = [rounded(each) for each in along]
        if line.get_linestyle() == "None":
            self.outliers.extend(values)
        elif len(values) != 2:
            return
        elif values[0] == values[1]:
            # The end of a whisker is such a line, too, and the median is drawn after it.
            if self.low <= values[0] <= self.high:
                self.median = values[0]
        elif max(values) == self.low:
            self.min = min(values)
        elif min(values) == self.high:
            self.max = max(values)

    def told(self):
        return {
            "label": self.label, "min": self.min, "first_quartile": self.low, "median": self.median,
            "third_quartile": self.high, "max": self.max, "outliers": self.outliers,
        }
