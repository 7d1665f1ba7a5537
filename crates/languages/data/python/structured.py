"""What a context shows besides, for clients that want values as data: tables as `e2b/data`, figures as `e2b/chart`, lists
and maps as JSON. Loaded by `context.py` with the first cell that asks for it; the names are those of E2B's clients.

Nothing here imports pandas, matplotlib or PIL: a value of theirs is there only after a cell did.
"""

import importlib.util
import json
import math
import os
import sys

from IPython.core.formatters import BaseFormatter
from traitlets import ObjectName, Unicode

CHART = "e2b/chart"
TABLE = "e2b/data"
JSON = "application/json"


class Structured:
    """The formatters of one shell, and whether they are in use."""

    def __init__(self, shell, load):
        """`load` makes a module of a driver."""
        self.formatters = shell.display_formatter.formatters
        self.text = self.formatters["text/plain"]
        self.whole_texts = self.text.max_seq_length
        self.plain_json = self.formatters[JSON]
        own = {"parent": shell.display_formatter}
        self.own_json = Json(plain=self.plain_json, **own)
        self.formatters[TABLE] = self.table = Table(**own)
        self.formatters[CHART] = self.chart = Chart(load=load, **own)
        self.saves = Saves()

    def enable(self, wanted):
        self.table.enabled = self.chart.enabled = wanted
        self.formatters[JSON] = self.own_json if wanted else self.plain_json
        # Long lists are told whole: their clients read them.
        self.text.max_seq_length = 0 if wanted else self.whole_texts
        self.saves.enable(wanted)

    def of_figure(self, figure):
        """What is shown of a figure beside its picture."""
        chart = self.chart(figure)
        return {"text/plain": repr(figure), **({CHART: chart} if chart else {})}


class Table(BaseFormatter):
    """A DataFrame as its columns."""

    format_type = Unicode(TABLE)
    print_method = ObjectName("_repr_e2b_data_")
    _return_type = (dict, str)

    def __call__(self, value):
        pandas = sys.modules.get("pandas")
        if not self.enabled:
            return None
        if pandas is None or not isinstance(value, pandas.DataFrame):
            return super().__call__(value)
        return {str(name): [plain(each) for each in column] for name, column in value.to_dict(orient="list").items()}


class Chart(BaseFormatter):
    """A figure as what is drawn in it."""

    format_type = Unicode(CHART)
    print_method = ObjectName("_repr_e2b_chart_")
    _return_type = (dict, str)
    charts = None

    def __init__(self, load, **more):
        super().__init__(**more)
        self.load = load

    def __call__(self, value):
        figures = sys.modules.get("matplotlib.figure")
        if not self.enabled:
            return None
        if figures is None or not isinstance(value, figures.Figure):
            return super().__call__(value)
        if self.charts is None:
            self.charts = self.load("charts")
        try:
            return self.charts.of_figure(value)
        except Exception:
            # It is drawn in a way that is not foreseen; its picture is shown all the same.
            return None


class Json(BaseFormatter):
    """Lists and maps; all else as its own formatter has it."""

    format_type = Unicode(JSON)
    print_method = ObjectName("_repr_json_")
    _return_type = (list, dict)

    def __init__(self, plain, **more):
        super().__init__(**more)
        self.plain = plain

    def __call__(self, value):
        if not isinstance(value, (list, dict)):
            return self.plain(value)
        try:
            return json.loads(json.dumps(value, default=as_list), parse_constant=lambda _: None)
        except (TypeError, ValueError, RecursionError):
            return None


def as_list(value):
    """numpy's arrays and numbers."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON")


def plain(value):
    """A cell of a table as JSON has it: no number is `null`, a time is its text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if hasattr(value, "isoformat"):
        # What is no time says so itself.
        return value.isoformat() if value == value else None
    try:
        return as_list(value)
    except TypeError:
        return str(value) if value == value else None


class Saves:
    """Shows a picture of PIL's that a cell saves under a name."""

    def __init__(self):
        self.wanted = False
        sys.meta_path.insert(0, self)
        if "PIL.Image" in sys.modules:
            self.take(sys.modules["PIL.Image"])

    def enable(self, wanted):
        self.wanted = wanted

    def find_spec(self, name, path=None, target=None):
        """As a finder of modules: PIL's is taken once it is loaded."""
        if name != "PIL.Image":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def loads(module):
                load(module)
                self.take(module)

            spec.loader.exec_module = loads
        return spec

    def take(self, module):
        save, saves = module.Image.save, self

        def saved(image, fp, format=None, **parameters):
            if saves.wanted and isinstance(fp, (str, os.PathLike)):
                from IPython.display import display

                display(image)
            return save(image, fp, format, **parameters)

        module.Image.save = saved
