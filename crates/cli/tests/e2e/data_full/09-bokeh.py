"""A page with a plot of bokeh's, its scripts within it."""
import json

from bokeh.embed import components, json_item
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure
from bokeh.resources import INLINE
from bokeh.embed import file_html

source = ColumnDataSource({"x": [1, 2, 3], "y": [4, 9, 2], "name": ["a", "b", "ü"]})
plot = figure(title="Three", width=300, height=200, tools="pan,wheel_zoom")
plot.line("x", "y", source=source, line_width=2)
plot.scatter("x", "y", source=source, size=8, color="firebrick")
plot.add_tools(HoverTool(tooltips=[("name", "@name")]))
page = file_html(column(plot), INLINE, "Report")
script, div = components(plot)
print("<title>Report</title>" in page, len(page) > 500_000, "cdn.bokeh.org" in page)
print(script.strip().startswith("<script"), div.startswith("<div"))
item = json.loads(json.dumps(json_item(plot)))
print(sorted(item), [type(glyph.glyph).__name__ for glyph in plot.renderers])
